//! Work in chunks: each is a transaction of its own that takes milliseconds, with a pause in between, so that its locks and
//! its snapshot are short, and the database has time for other work.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

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

    /// Walks through a table in the order of an index, from its beginning, until at most `max_chunks` chunks had something to
    /// do. Chunks that only pass by what stays are not counted, so what lies behind it is reached however much it is: what
    /// was done is not in the way of the next walk. Returns how much was done.
    ///
    /// # Errors
    /// That of a chunk; what was done before stays done.
    pub(super) async fn walk<Place, F>(
        self,
        max_chunks: u32,
        mut chunk: impl FnMut(Place) -> F,
    ) -> Result<u64, StoreError>
    where
        Place: Copy + Default + PartialEq,
        F: Future<Output = Result<ChunkProgress<Place>, StoreError>>,
    {
        let (mut done, mut chunks_done, mut place) = (0, 0, Place::default());
        loop {
            let walked = chunk(place).await?;
            done += walked.done;
            let Some(next) = walked.next else { break };
            chunks_done += u32::from(walked.done > 0 || next == place);
            place = next;
            if chunks_done >= max_chunks || self.pause().await {
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

    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn chunks_end_when_nothing_is_left_when_they_are_enough_or_when_the_process_stops() {
        let stop = CancellationToken::new();
        let chunks = Chunks { stop: &stop };
        let mut left = vec![0, 3, 5, 5];
        assert_eq!(chunks.until_nothing(10, || ready(Ok(left.pop().unwrap()))).await.unwrap(), 13);
        assert_eq!(chunks.until_nothing(4, || ready(Ok(5))).await.unwrap(), 20);
        let endless = |_: Uuid| ready(Ok(ChunkProgress { done: 1, next: Some(Uuid::max()) }));
        assert_eq!(chunks.walk(4, endless).await.unwrap(), 4);
        let stays_where_it_is = |place: Uuid| ready(Ok(ChunkProgress { done: 0, next: Some(place) }));
        assert_eq!(chunks.walk(4, stays_where_it_is).await.unwrap(), 0);
        stop.cancel();
        assert_eq!(chunks.until_nothing(10, || ready(Ok(5))).await.unwrap(), 5);
        assert_eq!(chunks.walk(4, endless).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn what_lies_behind_more_than_a_round_may_do_is_reached() {
        let stop = CancellationToken::new();
        // Five chunks of what stays, and one with something to do behind them.
        let chunk =
            |place: i32| ready(Ok(ChunkProgress { done: u64::from(place == 5), next: Some(place + 1) }));
        assert_eq!(Chunks { stop: &stop }.walk(1, chunk).await.unwrap(), 1);
    }
}
