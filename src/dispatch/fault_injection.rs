//! A fault that tests switch on: deliveries, marks, claims and outcomes are dropped at random, as a mistake in the code
//! around them would do. The search in `rescue/` has to find all that is dropped here. Release builds do not have it.

use crate::domain::chance;

/// How much is dropped.
#[derive(Debug, Clone, Copy)]
pub(super) struct FaultInjection {
    dropped_share: f64,
}

impl FaultInjection {
    /// Drops this share of everything, between 0 and 1.
    pub(super) fn new(dropped_share: f64) -> Self {
        Self { dropped_share: if cfg!(debug_assertions) { dropped_share } else { 0.0 } }
    }

    /// Whether this one is to be dropped.
    pub(super) fn drops_this(self) -> bool {
        self.dropped_share > 0.0 && chance::fraction() < self.dropped_share
    }
}
