//! Reads a request's body to its end before anything answers it. The connection of a request that was answered before
//! it was read has to be closed, and a client that keeps its connections would only notice at its next request, which
//! then fails without an answer. What is larger than the limit is not read to its end, and its answer says that the
//! connection closes.

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use http_body_util::LengthLimitError;

use super::error::ApiError;

/// The layer, for bodies of at most so many bytes.
pub(super) async fn read_whole(State(limit): State<usize>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let mut response = match to_bytes(body, limit).await {
        Ok(bytes) => return next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(error) => refused(error, limit).into_response(),
    };
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn refused(error: axum::Error, limit: usize) -> ApiError {
    if error.into_inner().is::<LengthLimitError>() {
        ApiError::TooLarge(limit)
    } else {
        ApiError::invalid(&["body"], "the body could not be read to its end", "value_error")
    }
}
