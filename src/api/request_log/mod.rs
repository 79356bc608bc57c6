//! What is told of each request to an operator: its id, its line in the access log, and what metrics count of it.

pub(in crate::api) mod id;

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{Method, StatusCode};
use tower::{Layer, Service};
use tracing::Instrument as _;

use super::conventions::idempotency::{BATCH_PATH, MESSAGE_PATH};
use super::error::AnsweredError;
use crate::telemetry::metrics;

/// How requests are logged: the layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestLog {
    /// Whether each has a line of its own.
    pub(super) access_log: bool,
}

impl<S> Layer<S> for RequestLog {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed { inner, access_log: self.access_log }
    }
}

/// The service inside, whose requests are named, logged and counted. It is a service and no function with a `Next`: that
/// would clone every layer below it for each request.
#[derive(Clone)]
pub(super) struct Observed<S> {
    inner: S,
    access_log: bool,
}

impl<S> Service<Request> for Observed<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let began = Instant::now();
        let id = id::of_request(request.headers());
        let method = request.method().clone();
        let posts_messages = method == Method::POST && is_of_messages(&request);
        let path = self.access_log.then(|| request.uri().path().to_owned());
        let span =
            tracing::info_span!("request", request_id = %id, method = %method, path = request.uri().path());
        let answer = span.in_scope(|| self.inner.call(request));
        let answering = async move {
            let response = answer.await?;
            let (status, took) = (response.status(), began.elapsed());
            if let Some(path) = path {
                log_access(&id, &method, &path, status, took);
            } else {
                tracing::debug!(status = status.as_u16(), "answered");
            }
            measure(&response, took, posts_messages);
            Ok(id::put_into(&id, response).await)
        };
        answering.instrument(span).boxed()
    }
}

fn is_of_messages(request: &Request) -> bool {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    path.is_some_and(|path| [MESSAGE_PATH, BATCH_PATH].contains(&path))
}

fn log_access(id: &str, method: &Method, path: &str, status: StatusCode, took: Duration) {
    tracing::info!(
        target: "postrider::access",
        request_id = id,
        method = %method,
        path,
        status = status.as_u16(),
        duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
}

fn measure(response: &Response, took: Duration, posts_messages: bool) {
    let metrics = metrics::current();
    metrics.answered(response.status().as_u16());
    if !posts_messages {
        return;
    }
    if response.status() == StatusCode::ACCEPTED {
        metrics::record(&metrics.accept_seconds, took);
    } else if let Some(error) = response.extensions().get::<AnsweredError>() {
        metrics.refused(error.code);
    }
}
