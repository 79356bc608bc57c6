//! Large messages give way to small ones. While small ones come, large ones are written in smaller batches, and a pause
//! follows each: the database and the processors are free for the others most of the time. Where nobody else comes, large
//! ones have it all.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A batch of large messages while small ones come.
const SHARED_BATCH_BYTES: usize = 512 << 10;
/// After the last small message, large ones go on giving way for so long.
const SMALL_ARE_EXPECTED: Duration = Duration::from_secs(1);
/// A pause is so many times as long as the batch took …
const PAUSE_FACTOR: u32 = 2;
/// … and no longer than this. What a slow disk adds to a batch is no reason to wait.
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

/// When the last small messages came.
#[derive(Default)]
pub(super) struct GiveWay {
    small_at: Mutex<Option<Instant>>,
}

impl GiveWay {
    /// Small messages are there.
    pub(super) fn small_came(&self) {
        *self.small_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn is_due(&self) -> bool {
        let small_at = *self.small_at.lock().unwrap_or_else(PoisonError::into_inner);
        small_at.is_some_and(|at| at.elapsed() < SMALL_ARE_EXPECTED)
    }

    /// How much of `most_bytes` a batch of large messages may have now.
    pub(super) fn batch_bytes(&self, most_bytes: usize) -> usize {
        if self.is_due() { SHARED_BATCH_BYTES.min(most_bytes) } else { most_bytes }
    }

    /// What follows a batch of large messages that took so long.
    pub(super) async fn pause_after(&self, took: Duration) {
        if self.is_due() {
            tokio::time::sleep((took * PAUSE_FACTOR).min(LONGEST_PAUSE)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn large_messages_give_way_while_small_ones_come() {
        let give_way = GiveWay::default();
        assert_eq!(give_way.batch_bytes(1 << 20), 1 << 20, "nobody else is there");
        give_way.small_came();
        assert_eq!(give_way.batch_bytes(1 << 20), SHARED_BATCH_BYTES);
        let took = Duration::from_millis(1);
        let since = Instant::now();
        give_way.pause_after(took).await;
        assert!(since.elapsed() >= took * PAUSE_FACTOR);
    }
}
