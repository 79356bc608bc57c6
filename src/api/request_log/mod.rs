//! What is told of each request to an operator: its id, its line in the access log, and what metrics count of it.

pub(in crate::api) mod id;

use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{Method, StatusCode};
use tracing::Instrument as _;

use super::conventions::idempotency::{BATCH_PATH, MESSAGE_PATH};
use super::error::AnsweredError;
use crate::telemetry::metrics;

/// How requests are logged.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestLog {
    /// Whether each has a line.
    pub(super) access_log: bool,
}

/// The layer.
pub(super) async fn observe(State(log): State<RequestLog>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = id::of_request(request.headers());
    let method = request.method().clone();
    let posts_messages = method == Method::POST && is_of_messages(&request);
    let path = log.access_log.then(|| request.uri().path().to_owned());
    let span =
        tracing::info_span!("request", request_id = %id, method = %method, path = request.uri().path());
    let response = async {
        let response = next.run(request).await;
        let (status, took) = (response.status(), began.elapsed());
        if let Some(path) = path {
            log_access(&id, &method, &path, status, took);
        }
        measure(&response, took, posts_messages);
        response
    };
    let response = response.instrument(span).await;
    id::put_into(&id, response).await
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
