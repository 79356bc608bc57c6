//! The kinds of rounds, when each is due, and when one that failed is tried again.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::clock::was_ahead;

/// How long a round that failed waits the first time.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const MAX_PAUSE: Duration = Duration::from_secs(60 * 60);

/// A kind of round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// Deliveries that can never arrive, payloads whose time is over, what deleted applications left.
    Minutely,
    /// Partitions and rollups: at seven minutes past each hour.
    Hourly,
    /// What is past its retention: at 03:37 UTC.
    Nightly,
}

impl Round {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Minutely, Self::Hourly, Self::Nightly];

    /// Its name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Minutely => "minutely",
            Self::Hourly => "hourly",
            Self::Nightly => "nightly",
        }
    }

    /// How often it is due, and how long after midnight UTC for the first time.
    fn times(self) -> (TimeDelta, TimeDelta) {
        match self {
            Self::Minutely => (TimeDelta::minutes(1), TimeDelta::zero()),
            Self::Hourly => (TimeDelta::hours(1), TimeDelta::minutes(7)),
            Self::Nightly => (TimeDelta::days(1), TimeDelta::minutes(3 * 60 + 37)),
        }
    }

    /// Whether a round is to be done at `now`: the last one that was done began before the latest time for one, or in the
    /// future, because the clock was ahead then.
    #[must_use]
    pub fn is_due(self, last_begun_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        let (every, offset) = self.times();
        let since = now.timestamp() - offset.num_seconds();
        let latest = since.div_euclid(every.num_seconds()) * every.num_seconds() + offset.num_seconds();
        last_begun_at.is_none_or(|last| last.timestamp() < latest || was_ahead(last, now))
    }

    /// How long one waits after so many have failed, one after the other: longer each time, and never so long that one would
    /// be left out.
    fn pause_after(self, failures: u32) -> Duration {
        let (every, _) = self.times();
        let longest = MAX_PAUSE.min(every.to_std().unwrap_or(MAX_PAUSE) / 2);
        FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(longest)
    }
}

/// What this process has to do about a kind of round that failed here.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Retry {
    /// One after the other.
    failures: u32,
    not_before: Option<Instant>,
    is_owed: bool,
}

impl Retry {
    /// After something failed that one would do, at `now`.
    pub(super) fn owed(round: Round, now: Instant) -> Self {
        Self { is_owed: true, ..Self::default() }.after(round, false, now)
    }

    /// Whether one is to be done, whatever is noted of the last one.
    pub(super) fn is_owed(self) -> bool {
        self.is_owed
    }

    /// Whether one may begin at `now`.
    pub(super) fn may_begin(self, now: Instant) -> bool {
        self.not_before.is_none_or(|not_before| not_before <= now)
    }

    /// After one was done, or failed, at `now`.
    pub(super) fn after(self, round: Round, is_done: bool, now: Instant) -> Self {
        if is_done {
            return Self::default();
        }
        let failures = self.failures.saturating_add(1);
        Self { failures, not_before: Some(now + round.pause_after(failures)), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_round_that_was_missed_is_due_and_one_that_was_done_is_not() {
        let night = |last: &str, now: &str| Round::Nightly.is_due(Some(at(last)), at(now));
        assert!(!night("2026-11-25T03:37:20Z", "2026-11-26T03:36:59Z"));
        assert!(night("2026-11-25T03:37:20Z", "2026-11-26T03:37:00Z"));
        assert!(night("2026-11-25T03:37:20Z", "2026-11-26T15:00:00Z"), "the process was down at 03:37");
        assert!(!night("2026-11-26T15:00:20Z", "2026-11-27T03:00:00Z"));
        assert!(night("2026-11-26T15:00:20Z", "2026-11-27T03:37:00Z"));
        let hour = |last: &str, now: &str| Round::Hourly.is_due(Some(at(last)), at(now));
        assert!(!hour("2026-11-26T15:07:00Z", "2026-11-26T16:06:59Z"));
        assert!(hour("2026-11-26T15:07:00Z", "2026-11-26T16:07:00Z"));
        assert!(!Round::Minutely.is_due(Some(at("2026-11-26T15:07:20Z")), at("2026-11-26T15:07:59Z")));
        assert!(Round::Minutely.is_due(Some(at("2026-11-26T15:07:20Z")), at("2026-11-26T15:08:20Z")));
    }

    #[test]
    fn a_round_that_was_never_done_is_due() {
        assert!(Round::ALL.into_iter().all(|round| round.is_due(None, at("2026-11-26T00:00:00Z"))));
    }

    #[test]
    fn a_clock_that_was_ahead_keeps_no_round_from_being_done() {
        let now = at("2026-11-26T15:00:00Z");
        for round in Round::ALL {
            assert!(round.is_due(Some(at("2027-11-26T15:00:00Z")), now), "{round:?}");
            assert!(
                !round.is_due(Some(at("2026-11-26T15:00:30Z")), now),
                "clocks differ a little: {round:?}"
            );
        }
    }

    #[test]
    fn a_round_that_fails_is_tried_again_after_a_growing_pause() {
        let minutes = |round: Round| {
            [1, 2, 3, 6, 7, 40].map(|failures| round.pause_after(failures).as_secs_f64() / 60.0)
        };
        assert_eq!(minutes(Round::Nightly), [1.0, 2.0, 4.0, 32.0, 60.0, 60.0]);
        assert_eq!(minutes(Round::Hourly), [1.0, 2.0, 4.0, 30.0, 30.0, 30.0]);
        assert_eq!(minutes(Round::Minutely), [0.5; 6], "the next minute's is its retry");

        let now = Instant::now();
        let first = Retry::default();
        assert!(first.may_begin(now) && !first.is_owed());
        let twice = first.after(Round::Nightly, false, now).after(Round::Nightly, false, now);
        assert!(!twice.is_owed(), "nothing was noted, so it is due");
        assert!(
            !twice.may_begin(now + Duration::from_secs(119))
                && twice.may_begin(now + Duration::from_secs(120))
        );
        let done = twice.after(Round::Nightly, true, now);
        assert!(done.may_begin(now));

        let owed = Retry::owed(Round::Hourly, now);
        assert!(owed.is_owed() && !owed.may_begin(now));
        assert!(owed.after(Round::Hourly, false, now).is_owed());
        assert!(!owed.after(Round::Hourly, true, now).is_owed());
    }
}
