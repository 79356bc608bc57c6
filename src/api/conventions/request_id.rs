//! Each request to the API has an id, which stands in its answer and in every line that is logged on its way. Whoever
//! complains names it.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue};
use tracing::Instrument as _;

use crate::domain::id::RequestId;

/// The header of the answer.
pub(in crate::api) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The layer.
pub(in crate::api) async fn name_request(request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with("/api/v1") {
        return next.run(request).await;
    }
    let id = RequestId::generate().to_string();
    let span = tracing::info_span!(
        "request",
        request_id = %id,
        method = %request.method(),
        path = request.uri().path()
    );
    let answering = async {
        let response = next.run(request).await;
        tracing::debug!(status = response.status().as_u16(), "answered");
        response
    };
    let mut response = answering.instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}
