//! The step that an attempt is at, so that the sentence about a timeout can name it, how long each step took, and what is
//! known of the connection.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::domain::delivery::attempt::Timings;

/// What an attempt is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// The step that an attempt is at. It is still there after the deadline has ended the work. One task has it, so that nobody
/// waits for the lock.
#[derive(Debug)]
pub(super) struct Progress(Mutex<State>);

#[derive(Debug)]
struct State {
    at: Step,
    since: Instant,
    timings: Timings,
    /// Only where somebody wants to know.
    facts: Option<ConnectionFacts>,
}

impl Progress {
    /// It begins now.
    pub(super) fn begin() -> Self {
        Self::noting(None)
    }

    /// One that also notes what is known of the connection.
    pub(super) fn with_facts() -> Self {
        Self::noting(Some(ConnectionFacts::default()))
    }

    fn noting(facts: Option<ConnectionFacts>) -> Self {
        Self(Mutex::new(State { at: Step::Dns, since: Instant::now(), timings: Timings::default(), facts }))
    }

    /// The next step begins.
    pub(super) fn enter(&self, step: Step) {
        let mut state = self.state();
        (state.at, state.since) = (step, Instant::now());
    }

    /// The step is over.
    pub(super) fn passed(&self, step: Step) {
        let mut state = self.state();
        let took = Some(state.since.elapsed());
        match step {
            Step::Dns => state.timings.resolve = took,
            Step::Connection => state.timings.connect = took,
            Step::Tls => state.timings.tls = took,
            Step::Answer => state.timings.first_byte = took,
        }
    }

    /// How long the steps took that are over.
    pub(super) fn timings(&self) -> Timings {
        self.state().timings
    }

    /// Notes something about the connection, if somebody wants to know.
    pub(super) fn note(&self, note: impl FnOnce(&mut ConnectionFacts)) {
        if let Some(facts) = &mut self.state().facts {
            note(facts);
        }
    }

    /// What was noted.
    pub(super) fn into_facts(self) -> ConnectionFacts {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).facts.unwrap_or_default()
    }

    /// The sentence for a deadline that passes at this step.
    pub(super) fn timed_out(&self) -> &'static str {
        match self.state().at {
            Step::Dns => "the name was not resolved within the deadline",
            Step::Connection => "no connection was made within the deadline: nothing answers at the address",
            Step::Tls => "the TLS handshake was not over within the deadline",
            Step::Answer => super::classify::TIMED_OUT,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
