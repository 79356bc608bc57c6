//! How far back a view looks, and in which steps: series cover the whole range, oldest first, and the last bucket is the
//! one under way.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far back, from now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum Range {
    /// An hour in minutes.
    #[serde(rename = "1h")]
    Hour,
    /// Three hours in steps of three minutes.
    #[serde(rename = "3h")]
    ThreeHours,
    /// A day in half hours.
    #[default]
    #[serde(rename = "24h")]
    Day,
    /// A week in steps of three hours.
    #[serde(rename = "7d")]
    Week,
    /// Thirty days in half days.
    #[serde(rename = "30d")]
    Month,
}

/// Buckets of one length, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buckets {
    /// When the first begins.
    pub starts_at: DateTime<Utc>,
    /// How long each is.
    pub seconds: i64,
    /// How many there are.
    pub count: usize,
}

impl Range {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Hour, Self::ThreeHours, Self::Day, Self::Week, Self::Month];

    const fn shape(self) -> (i64, usize) {
        match self {
            Self::Hour => (60, 60),
            Self::ThreeHours => (180, 60),
            Self::Day => (1_800, 48),
            Self::Week => (10_800, 56),
            Self::Month => (43_200, 60),
        }
    }

    /// Its buckets; the last one is under way at `now`.
    pub fn buckets(self, now: DateTime<Utc>) -> Buckets {
        let (seconds, count) = self.shape();
        Buckets::ending(now, seconds, count)
    }
}

impl Buckets {
    /// So many, the last of which is under way at `now`. They begin at multiples of their length, in UTC.
    pub fn ending(now: DateTime<Utc>, seconds: i64, count: usize) -> Self {
        let last = now.timestamp().div_euclid(seconds) * seconds;
        let first = last - seconds * i64::try_from(count.saturating_sub(1)).unwrap_or(0);
        Self { starts_at: DateTime::from_timestamp(first, 0).unwrap_or(DateTime::UNIX_EPOCH), seconds, count }
    }

    /// Which one a moment lies in; `None` for what is outside.
    pub fn place_of(&self, moment: DateTime<Utc>) -> Option<usize> {
        let place = (moment - self.starts_at).num_seconds().div_euclid(self.seconds);
        usize::try_from(place).ok().filter(|place| *place < self.count)
    }

    /// Whether each is a number of whole steps of so many seconds.
    pub const fn consist_of(&self, step_seconds: i64) -> bool {
        self.seconds % step_seconds == 0
    }

    /// When the last one ends.
    pub fn ends_at(&self) -> DateTime<Utc> {
        self.starts_at + TimeDelta::seconds(self.seconds * i64::try_from(self.count).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bucket_is_under_way_and_the_range_is_covered() {
        let now = DateTime::from_timestamp(1_770_000_123, 0).unwrap();
        for (range, hours) in Range::ALL.into_iter().zip([1, 3, 24, 168, 720]) {
            let buckets = range.buckets(now);
            assert_eq!(buckets.place_of(now), Some(buckets.count - 1), "{range:?}");
            assert_eq!(buckets.seconds * i64::try_from(buckets.count).unwrap(), hours * 3_600);
            assert_eq!(buckets.place_of(buckets.starts_at), Some(0));
            assert_eq!(buckets.place_of(buckets.ends_at()), None);
            assert_eq!(buckets.place_of(buckets.starts_at - TimeDelta::seconds(1)), None);
        }
        let [three_hours, day, week] = [Range::ThreeHours, Range::Day, Range::Week].map(|it| it.buckets(now));
        assert!(day.consist_of(1_800) && !three_hours.consist_of(1_800));
        assert!(week.consist_of(10_800) && !day.consist_of(10_800));
    }
}
