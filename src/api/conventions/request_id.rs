//! Each request to the API has an id, which stands in its answer and in every line that is logged on its way. Whoever
//! complains names it.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::Response;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{HeaderName, HeaderValue};
use tower::Service;
use tracing::Instrument as _;

use crate::domain::id::RequestId;

/// The header of the answer.
pub(in crate::api) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The service inside, with a name for each of its requests. It is a service and no function with a `Next`: that would
/// clone every layer below it for each request.
#[derive(Clone)]
pub(in crate::api) struct NameRequests<S>(pub(in crate::api) S);

impl<S> Service<Request> for NameRequests<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if !request.uri().path().starts_with("/api/v1") {
            return self.0.call(request).boxed();
        }
        let id = RequestId::generate().to_string();
        let span = tracing::info_span!(
            "request",
            request_id = %id,
            method = %request.method(),
            path = request.uri().path()
        );
        let answer = span.in_scope(|| self.0.call(request));
        let answering = async move {
            let mut response = answer.await?;
            tracing::debug!(status = response.status().as_u16(), "answered");
            if let Ok(value) = HeaderValue::from_str(&id) {
                response.headers_mut().insert(HEADER, value);
            }
            Ok(response)
        };
        answering.instrument(span).boxed()
    }
}
