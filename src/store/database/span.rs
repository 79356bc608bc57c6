//! A stretch of a list that is sorted by UUIDv7 ids. Times and iterators both become bounds on the id, so that one
//! index serves them all and partitions outside of them are not read.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::domain::page::Scan;

/// A stretch of time, open where nothing is given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeBounds {
    /// At or after.
    pub since: Option<DateTime<Utc>>,
    /// Before.
    pub until: Option<DateTime<Utc>>,
}

impl TimeBounds {
    /// The ids between which everything from that time is: greater than the one, smaller than the other.
    pub(in crate::store) fn ids(self) -> (Uuid, Uuid) {
        let last_before = |since| Uuid::from_u128(first_of(since).as_u128().saturating_sub(1));
        (self.since.map_or(Uuid::nil(), last_before), self.until.map_or(Uuid::max(), first_of))
    }
}

/// Which rows of a list to read, and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Ids greater than this.
    pub above: Uuid,
    /// Ids smaller than this.
    pub below: Uuid,
    /// Oldest first.
    pub ascending: bool,
    /// At most so many.
    pub limit: i64,
}

impl Span {
    /// The rows of a scan by id.
    pub fn of<K: Copy + Into<Uuid>>(scan: &Scan<K>) -> Self {
        let after = scan.after.map(Into::into);
        let (above, below) = if scan.ascending { (after, None) } else { (None, after) };
        Self {
            above: above.unwrap_or_default(),
            below: below.unwrap_or(Uuid::max()),
            ascending: scan.ascending,
            limit: scan.limit,
        }
    }

    /// Only ids from within those bounds.
    #[must_use]
    pub fn within(mut self, bounds: TimeBounds) -> Self {
        let (above, below) = bounds.ids();
        self.above = self.above.max(above);
        self.below = self.below.min(below);
        self
    }
}

/// The smallest UUIDv7 of a moment.
fn first_of(moment: DateTime<Utc>) -> Uuid {
    let millis = u128::try_from(moment.timestamp_millis()).unwrap_or_default();
    Uuid::from_u128((millis & 0xffff_ffff_ffff) << 80)
}

/// Clocks of nodes differ by less than this.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// The smallest id that something made in the course of `cause` can have. Clocks of nodes differ a little.
pub(in crate::store) fn earliest_after(cause: DateTime<Utc>) -> Uuid {
    first_of(cause - MAX_CLOCK_SKEW)
}

/// Greater than any id that something made before `moment` can have. Clocks of nodes differ a little.
pub(in crate::store) fn latest_before(moment: DateTime<Utc>) -> Uuid {
    first_of(moment + MAX_CLOCK_SKEW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::MessageId;

    fn within(since: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) -> Span {
        let all = Span::of::<MessageId>(&Scan { after: None, ascending: false, limit: 1 });
        all.within(TimeBounds { since, until })
    }

    #[test]
    fn since_includes_its_moment_and_until_does_not() {
        let id = MessageId::generate();
        let span = within(Some(id.created_at()), None);
        assert!(span.above < id.uuid() && id.uuid() < span.below);
        assert!(id.uuid() >= within(None, Some(id.created_at())).below);
        assert!(id.uuid() < within(None, Some(id.created_at() + TimeDelta::milliseconds(1))).below);
    }

    #[test]
    fn a_scan_goes_on_past_its_last_row() {
        let after = Some(MessageId::generate());
        let down = Span::of(&Scan { after, ascending: false, limit: 1 });
        assert_eq!((down.above, Some(down.below.into())), (Uuid::nil(), after));
        let up = Span::of(&Scan { after, ascending: true, limit: 1 });
        assert_eq!((Some(up.above.into()), up.below), (after, Uuid::max()));
    }

    #[test]
    fn moments_before_1970_are_the_beginning() {
        let moment = DateTime::UNIX_EPOCH - TimeDelta::days(1);
        assert_eq!(within(Some(moment), None).above, Uuid::nil());
    }
}
