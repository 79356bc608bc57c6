//! How fast bytes that nobody wants are read and dropped, over all connections together. Clients that are refused while
//! they send get their answer all the same; a flood of them is left to its own sockets.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So much is dropped in a second, and at once when nothing was dropped for a while.
const BYTES_PER_SECOND: u32 = 32 << 20;
/// What was not used for longer than this is not saved up.
const BURST: Duration = Duration::from_secs(1);

/// When the next bytes may be dropped. Each connection books its own bytes and comes back when it is their turn, so that
/// thousands that wait cost nothing meanwhile.
pub(super) struct DiscardRate {
    /// All that was booked is dropped by then.
    booked_until: Mutex<Instant>,
}

impl Default for DiscardRate {
    fn default() -> Self {
        Self { booked_until: Mutex::new(long_ago(Instant::now())) }
    }
}

impl DiscardRate {
    /// Books so many bytes. Returns when they may be dropped; `None`, with nothing booked, when that is after `latest`.
    pub(super) fn book(&self, bytes: usize, latest: Instant) -> Option<Instant> {
        self.book_at(bytes, Instant::now(), latest)
    }

    /// Gives back what was booked and not needed.
    pub(super) fn give_back(&self, bytes: usize) {
        let mut booked_until = self.booked_until.lock().unwrap_or_else(PoisonError::into_inner);
        *booked_until = booked_until.checked_sub(time_for(bytes)).unwrap_or(*booked_until);
    }

    fn book_at(&self, bytes: usize, now: Instant, latest: Instant) -> Option<Instant> {
        let mut booked_until = self.booked_until.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = (*booked_until).max(long_ago(now));
        if turn > latest {
            return None;
        }
        *booked_until = turn + time_for(bytes);
        Some(turn)
    }
}

fn long_ago(now: Instant) -> Instant {
    now.checked_sub(BURST).unwrap_or(now)
}

/// How long it takes to drop so much.
fn time_for(bytes: usize) -> Duration {
    Duration::from_secs(1) * u32::try_from(bytes).unwrap_or(u32::MAX) / BYTES_PER_SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const ALL: usize = BYTES_PER_SECOND as usize;

    #[test]
    fn a_second_drops_so_much_and_the_next_bytes_have_their_turn_after_it() {
        let (rate, now) = (DiscardRate::default(), Instant::now());
        let latest = now + 10 * SECOND;
        assert!(rate.book_at(ALL, now, latest).unwrap() <= now, "what was saved up is dropped at once");
        let second = rate.book_at(ALL / 2, now, latest).unwrap();
        let third = rate.book_at(1, now, latest).unwrap();
        assert_eq!(third - second, SECOND / 2);
        let later = now + 60 * SECOND;
        assert!(rate.book_at(ALL, later, later).unwrap() <= later, "no more than a second is saved up");
        assert_eq!(rate.book_at(ALL, later, later), Some(later));
    }

    #[test]
    fn what_would_come_too_late_is_not_booked() {
        let (rate, now) = (DiscardRate::default(), Instant::now());
        let turn = rate.book_at(3 * ALL, now, now).unwrap() + 3 * SECOND;
        assert_eq!(rate.book_at(ALL, now, turn - SECOND / 100), None);
        assert_eq!(rate.book_at(ALL, now, turn), Some(turn));
    }

    #[test]
    fn what_is_not_needed_goes_back() {
        let (rate, now) = (DiscardRate::default(), Instant::now());
        let latest = now + 10 * SECOND;
        rate.book_at(2 * ALL, now, latest).unwrap();
        rate.give_back(ALL);
        assert!(rate.book_at(1, now, latest).unwrap() <= now);
    }
}
