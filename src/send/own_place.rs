//! Places on this server itself that take deliveries. They are not reached over the network: the request is handed over
//! within the process, so that no address of this server has to be allowed, and no connection to it is ever made.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, StatusCode};
use url::Url;

use crate::domain::delivery::attempt::{AttemptOutcome, Failure};
use crate::domain::id::AttemptId;

use super::classify;

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
        }
    }
}
