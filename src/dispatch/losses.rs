//! A fault that tests switch on: deliveries, marks, claims and outcomes are dropped at random, as a mistake in the code
//! around them would. Whatever is dropped here the net has to find: see `rescue/`. It is not in release builds.

use crate::domain::chance;

/// How much is dropped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Losses {
    share: f64,
}

impl Losses {
    /// This share of everything, between 0 and 1.
    pub(super) fn of(share: f64) -> Self {
        Self { share: if cfg!(debug_assertions) { share } else { 0.0 } }
    }

    /// Whether this one is dropped.
    pub(super) fn strike(self) -> bool {
        self.share > 0.0 && chance::fraction() < self.share
    }
}
