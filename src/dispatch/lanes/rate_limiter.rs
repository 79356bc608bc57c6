//! A limit of requests a second, for a lane or a tenant.

use std::time::{Duration, Instant};

/// When the next request may be sent. What was not used of the rate in the last tenth of a second may be sent at once.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct RateLimiter {
    next_at: Option<Instant>,
}

impl RateLimiter {
    const MAX_BURST: Duration = Duration::from_millis(100);

    /// A request is sent now, under a rate a second; `None` for no limit.
    pub(super) fn spend(&mut self, rate: Option<u32>, now: Instant) {
        self.next_at = rate.filter(|rate| *rate > 0).map(|rate| {
            let earliest = now.checked_sub(Self::MAX_BURST).unwrap_or(now);
            self.next_at.map_or(now, |at| at.max(earliest)) + Duration::from_secs(1) / rate
        });
    }

    /// When the next request may be sent, if that is not yet.
    pub(super) fn waits_until(&self, now: Instant) -> Option<Instant> {
        self.next_at.filter(|at| *at > now)
    }

    /// From when on it equals a new one, and need not be kept.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.next_at
    }
}
