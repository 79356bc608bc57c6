//! Work in chunks: each is a transaction of its own that takes milliseconds, with a pause in between, so that its locks and
//! its snapshot are short, and the database has time for other work.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::store::{ChunkProgress, StoreError};

const PAUSE_BETWEEN_CHUNKS: Duration = Duration::from_millis(20);

/// Does chunk after chunk until nothing is left or the process stops.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunks<'a> {
    pub(super) stop: &'a CancellationToken,
}

impl Chunks<'_> {
    /// Calls `chunk` again and again, at most `max_chunks` times, until it did nothing. Returns how much was done.
    ///
    /// # Errors
    /// That of a chunk; what was done before stays done.
    pub(super) async fn until_nothing<F: Future<Output = Result<u64, StoreError>>>(
        self,
        max_chunks: u32,
        mut chunk: impl FnMut() -> F,
    ) -> Result<u64, StoreError> {
        let mut done = 0;
        for _ in 0..max_chunks {
            let in_chunk = chunk().await?;
            done += in_chunk;
            if in_chunk == 0 || self.pause().await {
                break;
            }
        }
        Ok(done)
    }

    /// Walks through a table in the order of its ids, at most `max_chunks` chunks. Returns how much was done.
    ///
    /// # Errors
    /// That of a chunk; what was done before stays done.
    pub(super) async fn walk<F: Future<Output = Result<ChunkProgress, StoreError>>>(
        self,
        max_chunks: u32,
        mut chunk: impl FnMut(Uuid) -> F,
    ) -> Result<u64, StoreError> {
        let (mut done, mut place) = (0, Uuid::nil());
        for _ in 0..max_chunks {
            let walked = chunk(place).await?;
            done += walked.done;
            let Some(next) = walked.next else { break };
            place = next;
            if self.pause().await {
                break;
            }
        }
        Ok(done)
    }

    /// Pauses; true when the process stops.
    pub(super) async fn pause(self) -> bool {
        self.stop.run_until_cancelled(tokio::time::sleep(PAUSE_BETWEEN_CHUNKS)).await.is_none()
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;

    #[tokio::test]
    async fn chunks_end_when_nothing_is_left_when_they_are_enough_or_when_the_process_stops() {
        let stop = CancellationToken::new();
        let chunks = Chunks { stop: &stop };
        let mut left = vec![0, 3, 5, 5];
        assert_eq!(chunks.until_nothing(10, || ready(Ok(left.pop().unwrap()))).await.unwrap(), 13);
        assert_eq!(chunks.until_nothing(4, || ready(Ok(5))).await.unwrap(), 20);
        let endless = |_| ready(Ok(ChunkProgress { done: 1, next: Some(Uuid::max()) }));
        assert_eq!(chunks.walk(4, endless).await.unwrap(), 4);
        stop.cancel();
        assert_eq!(chunks.until_nothing(10, || ready(Ok(5))).await.unwrap(), 5);
        assert_eq!(chunks.walk(4, endless).await.unwrap(), 1);
    }
}
