//! An attempt: one HTTP request for a delivery. That it failed is a value here, never an `Err`.

use std::time::Duration;

use bytes::Bytes;

use crate::domain::id::AttemptId;

/// At most this much of a response body is kept.
pub const RESPONSE_KEPT_BYTES: usize = 16 * 1024;

/// Why an attempt was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// By the schedule.
    Scheduled,
    /// By a person: a resend or a replay.
    Manual,
}

impl Trigger {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Scheduled, Self::Manual];

    /// As stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Manual => "manual",
        }
    }

    /// From the stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trigger| trigger.name() == name)
    }

    /// As the API shows it.
    pub const fn code(self) -> i16 {
        match self {
            Self::Scheduled => 0,
            Self::Manual => 1,
        }
    }
}

/// What went wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// An answer that is neither 2xx nor one of the kinds below.
    Status,
    /// 3xx: redirects are not followed.
    Redirect,
    /// 410: the receiver wants no more.
    Gone,
    /// 429, 502 or 504: the receiver is overloaded.
    Overloaded,
    /// No complete answer within the deadline.
    Timeout,
    /// The name did not resolve.
    Dns,
    /// The egress policy refused the address.
    EgressRefused,
    /// No connection, or it broke.
    Connection,
    /// The TLS handshake failed.
    Tls,
    /// The request could not be built: no live key, or an unusable URL or header.
    Unsendable,
}

impl Failure {
    /// As stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Redirect => "redirect",
            Self::Gone => "gone",
            Self::Overloaded => "overloaded",
            Self::Timeout => "timeout",
            Self::Dns => "dns",
            Self::EgressRefused => "egress_refused",
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Unsendable => "unsendable",
        }
    }
}

/// How long the steps of a request took. `None` for a step that was not needed, as over a connection that was there
/// already, or not reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// To resolve the host's name.
    pub resolve: Option<Duration>,
    /// To make a connection to one of its addresses.
    pub connect: Option<Duration>,
    /// To agree on TLS.
    pub tls: Option<Duration>,
    /// From the request to the head of the answer.
    pub first_byte: Option<Duration>,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptOutcome {
    /// The attempt's id, made when the request began.
    pub id: AttemptId,
    /// `None` when the receiver answered 2xx in time.
    pub failure: Option<Failure>,
    /// The answer's status, when there was an answer.
    pub http_status: Option<u16>,
    /// The answer's headers that matter to a reader (`content-type`, `retry-after`, `server`, …).
    pub response_headers: Vec<(String, String)>,
    /// The first [`RESPONSE_KEPT_BYTES`] of the answer's body, or a sentence on why there was none.
    pub response_body: Bytes,
    /// What the receiver asked for by `Retry-After`.
    pub retry_after: Option<Duration>,
    /// From the first byte out to the last byte in.
    pub duration: Duration,
    /// How long its steps took.
    pub timings: Timings,
}

impl AttemptOutcome {
    /// Whether the receiver said that it is asked too often, and when to come again: 429, or 503 with a `Retry-After`.
    pub fn is_too_fast(&self) -> bool {
        match self.http_status {
            Some(429) => true,
            Some(503) => self.retry_after.is_some(),
            _ => false,
        }
    }
}
