//! The step that an attempt is at, so that the sentence about a timeout can name it, and for somebody who tries an endpoint
//! out what is known of the connection.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

/// What an attempt is waiting for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Dns,
    Connection,
    Tls,
    Answer,
}

/// What is known of a connection. It is there as soon as it is known, also when nothing comes of the connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionFacts {
    /// The address that took it.
    pub address: Option<IpAddr>,
    /// The version of TLS, where there is TLS.
    pub tls_version: Option<&'static str>,
    /// When the receiver's certificate ends.
    pub certificate_ends_at: Option<DateTime<Utc>>,
}

/// The step that an attempt is at. It is still there after the deadline has ended the work.
#[derive(Debug, Default)]
pub(super) struct Progress {
    step: AtomicU8,
    /// Only where somebody wants to know.
    facts: Option<Mutex<ConnectionFacts>>,
}

impl Progress {
    /// One that also notes what is known of the connection.
    pub(super) fn with_facts() -> Self {
        Self { step: AtomicU8::default(), facts: Some(Mutex::default()) }
    }

    pub(super) fn enter(&self, step: Step) {
        self.step.store(step as u8, Ordering::Relaxed);
    }

    /// Notes something about the connection, if somebody wants to know.
    pub(super) fn note(&self, note: impl FnOnce(&mut ConnectionFacts)) {
        if let Some(facts) = &self.facts {
            note(&mut facts.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// What was noted.
    pub(super) fn into_facts(self) -> ConnectionFacts {
        self.facts.map(|facts| facts.into_inner().unwrap_or_else(PoisonError::into_inner)).unwrap_or_default()
    }

    /// The sentence for a deadline that passes at this step.
    pub(super) fn timed_out(&self) -> &'static str {
        let at = self.step.load(Ordering::Relaxed);
        if at == Step::Dns as u8 {
            "the name was not resolved within the deadline"
        } else if at == Step::Connection as u8 {
            "no connection was made within the deadline: nothing answers at the address"
        } else if at == Step::Tls as u8 {
            "the TLS handshake was not over within the deadline"
        } else {
            super::classify::TIMED_OUT
        }
    }
}
