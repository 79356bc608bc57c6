//! From where in an endpoint's part of the queue a claim begins to read. What was claimed before has left, but as long
//! as some transaction in the database is open that began earlier, its index entries stay, and a scan from the
//! beginning would walk over all of them again and again. So a claim begins where the last one ended.
//!
//! A floor never hides a row for long: a row may be committed late, so a floor keeps a margin from the present, and
//! one that was skipped because another node had locked it may come back, so now and then a claim has no floor.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::id::EndpointId;

/// No transaction that puts rows into the queue is this old when it commits.
const LATE_COMMIT: TimeDelta = TimeDelta::seconds(5);
/// After so long, a claim reads from the beginning again.
const TRUSTED_FOR: Duration = Duration::from_secs(15);

/// The floors of endpoints that were claimed for not long ago.
#[derive(Default)]
pub(super) struct Floors {
    of: HashMap<EndpointId, Floor>,
}

struct Floor {
    at: DateTime<Utc>,
    /// When a claim last read from the beginning.
    begun_at: Instant,
}

impl Floors {
    /// Where a claim for this endpoint begins; `None` for the beginning.
    pub(super) fn of(&self, endpoint: EndpointId, now: Instant) -> Option<DateTime<Utc>> {
        self.of.get(&endpoint).filter(|floor| now < floor.begun_at + TRUSTED_FOR).map(|floor| floor.at)
    }

    /// A claim, made at `asked_at` by this process's clock and `claimed_at` by the database's, took everything up to
    /// `last_due_at` but what others had locked.
    pub(super) fn learn(
        &mut self,
        endpoint: EndpointId,
        last_due_at: DateTime<Utc>,
        claimed_at: DateTime<Utc>,
        asked_at: Instant,
    ) {
        let at = last_due_at.min(claimed_at - LATE_COMMIT);
        match self.of.get_mut(&endpoint) {
            Some(floor) if asked_at < floor.begun_at + TRUSTED_FOR => floor.at = floor.at.max(at),
            _ => {
                self.of.insert(endpoint, Floor { at, begun_at: asked_at });
            }
        }
    }

    /// Drops what is no longer trusted.
    pub(super) fn forget_old(&mut self, now: Instant) {
        self.of.retain(|_, floor| now < floor.begun_at + TRUSTED_FOR);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_follows_what_was_claimed_keeps_its_margin_and_ends() {
        let (endpoint, now, moment) = (EndpointId::generate(), Instant::now(), DateTime::UNIX_EPOCH);
        let mut floors = Floors::default();
        assert_eq!(floors.of(endpoint, now), None);

        let old = moment - TimeDelta::minutes(10);
        floors.learn(endpoint, old, moment, now);
        assert_eq!(floors.of(endpoint, now), Some(old));
        let later = now + Duration::from_secs(10);
        floors.learn(endpoint, moment, moment, later);
        assert_eq!(
            floors.of(endpoint, later),
            Some(moment - LATE_COMMIT),
            "what commits late is still found"
        );

        let untrusted = now + TRUSTED_FOR;
        assert_eq!(floors.of(endpoint, untrusted), None, "claims in between do not prolong the trust");
        floors.learn(endpoint, old, moment, untrusted);
        assert_eq!(floors.of(endpoint, untrusted), Some(old));
        floors.forget_old(untrusted + TRUSTED_FOR);
        assert!(floors.of.is_empty());
    }
}
