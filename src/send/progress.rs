//! The step that an attempt is at, so that the sentence about a timeout can name it, and how long each step took.

use std::sync::{Mutex, MutexGuard, PoisonError};

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

/// The step that an attempt is at. It is still there after the deadline has ended the work. One task has it, so that nobody
/// waits for the lock.
#[derive(Debug)]
pub(super) struct Progress(Mutex<State>);

#[derive(Debug)]
struct State {
    at: Step,
    since: Instant,
    timings: Timings,
}

impl Progress {
    /// It begins now.
    pub(super) fn begin() -> Self {
        Self(Mutex::new(State { at: Step::Dns, since: Instant::now(), timings: Timings::default() }))
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
