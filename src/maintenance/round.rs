//! The kinds of rounds, and when each is due.

use chrono::{DateTime, TimeDelta, Utc};

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

    /// Whether a round is to be done at `now`: the last one that was done began before the latest time for one.
    #[must_use]
    pub fn is_due(self, last_begun_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        let (every, offset) = self.times();
        let since = now.timestamp() - offset.num_seconds();
        let latest = since.div_euclid(every.num_seconds()) * every.num_seconds() + offset.num_seconds();
        last_begun_at.is_none_or(|last| last.timestamp() < latest)
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
}
