//! Work that takes tens of milliseconds is done on a thread that serves nobody else.

use crate::api::error::ApiError;

/// Does it there. It goes on when nobody waits for it any more.
///
/// # Errors
/// [`ApiError::Internal`] when it breaks off.
pub(in crate::api) async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "work on a thread of its own broke off");
        ApiError::Internal
    })
}
