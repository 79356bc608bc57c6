//! Places on this server itself that take deliveries. They are not reached over the network: the request is handed over
//! within the process, so that no address of this server has to be allowed, and no connection to it is ever made.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, StatusCode};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::domain::delivery::attempt::{AttemptOutcome, Failure, Timings};
use crate::domain::endpoint::Endpoint;
use crate::domain::id::AttemptId;
use crate::domain::message::Message;
use crate::sign::SignatureHeaders;

use super::error::SendError;
use super::{Sender, classify, failed, request, without_answer};

/// What stands at a place of this server's own.
pub trait OwnPlaces: fmt::Debug + Send + Sync {
    /// Whether a URL leads to one of them.
    fn has(&self, url: &Url) -> bool;

    /// Takes a request to it.
    fn take(&self, url: &Url, headers: HeaderMap, body: Bytes) -> BoxFuture<'_, OwnAnswer>;
}

/// Its answer.
#[derive(Debug)]
pub struct OwnAnswer {
    /// The status.
    pub status: u16,
    /// In how many seconds to come back.
    pub retry_after: Option<u32>,
    /// A sentence.
    pub body: String,
}

impl OwnAnswer {
    /// What it means for an attempt.
    pub(super) fn outcome(self, id: AttemptId) -> AttemptOutcome {
        let failure = match StatusCode::from_u16(self.status) {
            Ok(status) => classify::failure_of_status(status),
            Err(_) => Some(Failure::Status),
        };
        let retry_after = self.retry_after.filter(|_| failure.is_some());
        AttemptOutcome {
            id,
            failure,
            http_status: Some(self.status),
            response_headers: retry_after
                .map(|seconds| ("retry-after".to_owned(), seconds.to_string()))
                .into_iter()
                .collect(),
            response_body: self.body.into(),
            retry_after: retry_after.map(|seconds| Duration::from_secs(seconds.into())),
            duration: Duration::ZERO,
            timings: Timings::default(),
        }
    }
}

impl Sender {
    /// The places of this server's own, if the URL leads to one of them.
    pub(super) fn own_place(&self, url: &Url) -> Option<&dyn OwnPlaces> {
        self.own_places.as_deref().filter(|own| own.has(url))
    }

    /// The same, without the network.
    pub(super) async fn hand_over(
        &self,
        own: &dyn OwnPlaces,
        id: AttemptId,
        deadline: Instant,
        endpoint: &Endpoint,
        message: &Message,
        signature: &SignatureHeaders,
    ) -> AttemptOutcome {
        let Ok(request) = request::build(endpoint, message, signature, false) else {
            return failed(id, &SendError::Unsendable);
        };
        let headers = request.into_parts().0.headers;
        match timeout_at(deadline, own.take(&endpoint.url, headers, message.payload.clone())).await {
            Ok(answer) => answer.outcome(id),
            Err(_) => without_answer(id, Failure::Timeout, classify::TIMED_OUT.into()),
        }
    }
}
