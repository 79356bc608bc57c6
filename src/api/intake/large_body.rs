//! Large JSON bodies are read on a thread that serves nobody else, one at a time: a list of a hundred thousand names takes
//! tens of milliseconds, and whoever shares a thread with it would wait as long.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::api::error::ApiError;

use super::blocking::on_blocking_thread;

/// A body of more bytes is large. One of this size is read in less than a millisecond.
const LARGE_BODY_BYTES: usize = 32 << 10;

/// Reads bodies.
#[derive(Clone)]
pub struct BodyReader {
    /// One large body is read at a time, so that a processor is left for everything else.
    turns: Arc<Semaphore>,
}

impl Default for BodyReader {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(1)) }
    }
}

impl BodyReader {
    /// What `read` makes of a body of so many bytes.
    pub(in crate::api) async fn read<T: Send + 'static>(
        &self,
        bytes: usize,
        read: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        if bytes <= LARGE_BODY_BYTES {
            return read();
        }
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| ApiError::Unavailable)?;
        on_blocking_thread(move || {
            let read = read();
            drop(turn);
            read
        })
        .await?
    }
}
