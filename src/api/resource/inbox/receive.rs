//! Where inboxes get what is posted to them. It takes no credential: whoever knows the URL may post.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::StatusCode;

use crate::api::error::ApiError;
use crate::api::inbox_address::{INBOX_PATH, addressed, refused};
use crate::api::state::SharedState;
use crate::inbox::{MAX_BODY_BYTES, Posted};

async fn receive(State(state): State<SharedState>, request: Request) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let inbox = addressed(&mut parts, &state).await?;
    // It was read before, within its limit: see `intake`.
    let body = axum::body::to_bytes(body, MAX_BODY_BYTES).await;
    let body = body.map_err(|_| ApiError::TooLarge(MAX_BODY_BYTES))?;
    let posted = Posted { method: &parts.method, headers: &parts.headers, body };
    let status = state.inboxes.put(&inbox, posted).await.map_err(refused)?;
    Ok(StatusCode::from_u16(status).map_err(|_| ApiError::Internal)?.into_response())
}

/// The route.
pub(super) fn unlisted_routes() -> Router<SharedState> {
    Router::new().route(INBOX_PATH, any(receive))
}
