//! How far an attempt has come, so that one whose time is over can say where it was.

use std::sync::atomic::{AtomicU8, Ordering};

/// What an attempt is waiting for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Name,
    Connection,
    Tls,
    Answer,
}

/// The step that an attempt is at. It outlives the work that the deadline ends.
#[derive(Debug, Default)]
pub(super) struct Progress(AtomicU8);

impl Progress {
    pub(super) fn is_at(&self, step: Step) {
        self.0.store(step as u8, Ordering::Relaxed);
    }

    /// What is said when the deadline comes here.
    pub(super) fn timed_out(&self) -> &'static str {
        let at = self.0.load(Ordering::Relaxed);
        if at == Step::Name as u8 {
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
