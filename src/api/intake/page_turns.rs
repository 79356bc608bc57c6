//! One large page is read and written at a time. Where others wait for the same, the next one begins after a pause as long as
//! the page took: so those who read much have half of a processor's time at most.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::error::ApiError;

/// The longest pause after a page. What a slow database adds to a page is no reason to wait.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Whose turn it is. Cheap to clone.
#[derive(Clone)]
pub(super) struct PageTurns {
    turn: Arc<Semaphore>,
    /// Those who wait, and the one whose turn it is.
    readers: Arc<AtomicUsize>,
}

impl Default for PageTurns {
    fn default() -> Self {
        Self { turn: Arc::new(Semaphore::new(1)), readers: Arc::default() }
    }
}

/// It is somebody's turn, until this is dropped.
pub(super) struct PageTurn {
    permit: OwnedSemaphorePermit,
    reader: Reader,
    since: Instant,
}

struct Reader(Arc<AtomicUsize>);

impl PageTurns {
    /// Waits until it is the caller's turn.
    pub(super) async fn wait(&self) -> Result<PageTurn, ApiError> {
        self.readers.fetch_add(1, Ordering::Relaxed);
        let reader = Reader(self.readers.clone());
        let permit = self.turn.clone().acquire_owned().await.map_err(|_| ApiError::Unavailable)?;
        Ok(PageTurn { permit, reader, since: Instant::now() })
    }
}

impl PageTurn {
    /// The page is made. The next one's turn comes after a pause, if somebody waits.
    pub(super) fn end(self) {
        if self.reader.0.load(Ordering::Relaxed) < 2 {
            return;
        }
        let Self { permit, since, .. } = self;
        tokio::spawn(async move {
            tokio::time::sleep(since.elapsed().min(LONGEST_PAUSE)).await;
            drop(permit);
        });
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn those_who_wait_leave_as_much_time_to_others_as_they_take() {
        let turns = PageTurns::default();
        let first = turns.wait().await.unwrap();
        let waiting = tokio::spawn({
            let turns = turns.clone();
            async move { turns.wait().await.map(|turn| (turn, Instant::now())) }
        });
        tokio::time::sleep(PAGE).await;
        let ended_at = Instant::now();
        first.end();
        let (second, began_at) = waiting.await.unwrap().unwrap();
        assert!(began_at - ended_at >= PAGE);
        second.end();
        assert_eq!(turns.turn.available_permits(), 1, "alone, a reader waits for nothing");
    }
}
