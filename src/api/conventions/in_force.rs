//! A change is answered when it is in force on every node: see `notices/`.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;

use crate::api::state::SharedState;

use super::idempotency::{BATCH_PATH, MESSAGE_PATH};

/// The layer. Messages are no change of anything that is kept, nor is what is posted to a test inbox.
pub(in crate::api) async fn answer_in_force(
    State(state): State<SharedState>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let changes = !reads
        && path.is_some_and(|path| path.starts_with("/api/") && path != MESSAGE_PATH && path != BATCH_PATH);
    let response = next.run(request).await;
    if changes && response.status().is_success() {
        state.changes.wait().await;
    }
    response
}
