//! How fast bytes that nobody wants are read and dropped, over all connections together. Clients that are refused while
//! they send get their answer all the same; a flood of them is left to its own sockets.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So much is dropped in a second, and at once when nothing was dropped for a while.
const BYTES_PER_SECOND: usize = 32 << 20;
/// When nothing more may be dropped, it is tried again after this time.
pub(super) const DISCARD_PAUSE: Duration = Duration::from_millis(20);

/// What may still be dropped.
pub(super) struct DiscardRate(Mutex<Allowance>);

struct Allowance {
    bytes: usize,
    at: Instant,
}

impl Default for DiscardRate {
    fn default() -> Self {
        Self(Mutex::new(Allowance { bytes: BYTES_PER_SECOND, at: Instant::now() }))
    }
}

impl DiscardRate {
    /// How many bytes of these may be dropped now.
    pub(super) fn take(&self, wanted: usize) -> usize {
        self.take_at(wanted, Instant::now())
    }

    /// Gives back what was not needed.
    pub(super) fn give_back(&self, bytes: usize) {
        let mut allowance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        allowance.bytes = (allowance.bytes + bytes).min(BYTES_PER_SECOND);
    }

    fn take_at(&self, wanted: usize, now: Instant) -> usize {
        let mut allowance = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed_ms = usize::try_from((now - allowance.at).as_millis()).unwrap_or(usize::MAX);
        if elapsed_ms > 0 {
            let regained = (BYTES_PER_SECOND / 1000).saturating_mul(elapsed_ms);
            allowance.bytes = allowance.bytes.saturating_add(regained).min(BYTES_PER_SECOND);
            allowance.at = now;
        }
        let granted = wanted.min(allowance.bytes);
        allowance.bytes -= granted;
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_drops_so_much_and_no_more() {
        let (rate, begin) = (DiscardRate::default(), Instant::now());
        assert_eq!(rate.take_at(usize::MAX, begin), BYTES_PER_SECOND);
        assert_eq!(rate.take_at(1, begin), 0);
        let half = begin + Duration::from_millis(500);
        let regained = rate.take_at(usize::MAX, half);
        assert!((BYTES_PER_SECOND / 2 - (64 << 10)..=BYTES_PER_SECOND / 2).contains(&regained), "{regained}");
        assert_eq!(rate.take_at(usize::MAX, half + Duration::from_secs(60)), BYTES_PER_SECOND);
    }

    #[test]
    fn what_is_not_needed_goes_back() {
        let (rate, now) = (DiscardRate::default(), Instant::now());
        assert_eq!(rate.take_at(usize::MAX, now), BYTES_PER_SECOND);
        rate.give_back(100);
        assert_eq!(rate.take_at(usize::MAX, now), 100);
    }
}
