//! The answer of a receiver: its head, as much of its body as is kept (`body.rs`, `decompress.rs`), and what they mean for the
//! attempt.

mod body;
mod decompress;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Response;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use crate::domain::delivery::attempt::{AttemptOutcome, Failure, RESPONSE_KEPT_BYTES, Timings};
use crate::domain::endpoint::Endpoint;
use crate::domain::id::AttemptId;

use super::connection::Connection;
use super::{Sender, bytes_of, classify, error_over, request};

use body::KeptBody;

/// An answer whose head is here, and the connection that brings the rest.
pub(super) struct Answer {
    pub(super) connection: Connection,
    pub(super) response: Response<Incoming>,
}

impl Sender {
    /// A status that is a failure stays what it is, however the body ends; a 2xx counts once its body has ended well.
    pub(super) async fn read_answer(
        &self,
        id: AttemptId,
        deadline: Instant,
        endpoint: &Endpoint,
        Answer { mut connection, response }: Answer,
    ) -> AttemptOutcome {
        let (head, incoming) = response.into_parts();
        let response_headers = classify::kept_headers(&head.headers);
        let mut failure = classify::failure_of_status(head.status);
        let retry_after = failure.and_then(|_| classify::retry_after(&head.headers, self.clock.now()));
        let mut body = KeptBody::default();
        let broken = match timeout_at(deadline, body.read(&mut connection, incoming)).await {
            Ok(Ok(ended)) => {
                if ended && connection.end_exchange().await {
                    self.pool.put(&request::origin(endpoint), endpoint.application_id, connection);
                }
                None
            }
            Ok(Err(error)) => Some(classify::failure_of_error(&error_over(&connection, error))),
            Err(_) => Some((Failure::Timeout, classify::TIMED_OUT.into())),
        };
        let mut response_body = decompress::readable(&head.headers, body.into_bytes());
        if let Some((kind, sentence)) = broken {
            if response_body.is_empty() {
                response_body = bytes_of(sentence);
            } else if failure.is_none() {
                // Its status alone would say that it succeeded.
                response_body = prefixed(&format!("{sentence}; it began with:\n"), &response_body);
            }
            failure = failure.or(Some(kind));
        }
        if failure == Some(Failure::Redirect)
            && let Some(sentence) = classify::redirect_sentence(&endpoint.url, &head.headers)
        {
            response_body = prefixed(&sentence, &response_body);
        }
        AttemptOutcome {
            id,
            failure,
            http_status: Some(head.status.as_u16()),
            response_headers,
            response_body,
            retry_after,
            duration: Duration::ZERO,
            timings: Timings::default(),
        }
    }
}

/// A sentence before the answer's body, together no longer than what is kept of a body.
fn prefixed(sentence: &str, body: &[u8]) -> Bytes {
    let mut told = BytesMut::from(sentence.as_bytes());
    told.extend_from_slice(body);
    told.truncate(RESPONSE_KEPT_BYTES);
    told.freeze()
}
