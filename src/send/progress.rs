//! The step that an attempt is at, so that the sentence about a timeout can name it.

use std::sync::atomic::{AtomicU8, Ordering};

/// What an attempt is waiting for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Dns,
    Connection,
    Tls,
    Answer,
}

/// The step that an attempt is at. It is still there after the deadline has ended the work.
#[derive(Debug, Default)]
pub(super) struct Progress(AtomicU8);

impl Progress {
    pub(super) fn enter(&self, step: Step) {
        self.0.store(step as u8, Ordering::Relaxed);
    }

    /// The sentence for a deadline that passes at this step.
    pub(super) fn timed_out(&self) -> &'static str {
        let at = self.0.load(Ordering::Relaxed);
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
