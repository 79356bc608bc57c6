//! Where in an endpoint's part of the queue a claim begins to read. Rows that were claimed have moved away, but their index
//! entries stay as long as a transaction is open in the database that began earlier, and a scan from the beginning would
//! walk over all of them each time. So a claim begins where the last one ended.
//!
//! A cursor hides no row for long. A row may be committed late, so a cursor stays some seconds behind the present; and a row
//! that was skipped because another node had locked it may become free, so now and then a claim has no cursor.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::id::EndpointId;

/// No transaction that puts rows into the queue is older than this when it commits.
const MAX_COMMIT_DELAY: TimeDelta = TimeDelta::seconds(5);
/// After this time, a claim reads from the beginning again.
const CURSOR_VALID_FOR: Duration = Duration::from_secs(15);

/// The cursors of endpoints that were claimed for not long ago.
#[derive(Default)]
pub(super) struct ClaimCursors {
    by_endpoint: HashMap<EndpointId, Cursor>,
}

struct Cursor {
    due_at: DateTime<Utc>,
    /// When a claim last read from the beginning.
    begun_at: Instant,
}

impl ClaimCursors {
    /// Where a claim for this endpoint begins; `None` for the beginning.
    pub(super) fn of(&self, endpoint: EndpointId, now: Instant) -> Option<DateTime<Utc>> {
        let valid = |cursor: &&Cursor| now < cursor.begun_at + CURSOR_VALID_FOR;
        self.by_endpoint.get(&endpoint).filter(valid).map(|cursor| cursor.due_at)
    }

    /// A claim, made at `asked_at` by this process's clock and `claimed_at` by the database's, took everything up to
    /// `last_due_at` except what others had locked.
    pub(super) fn advance(
        &mut self,
        endpoint: EndpointId,
        last_due_at: DateTime<Utc>,
        claimed_at: DateTime<Utc>,
        asked_at: Instant,
    ) {
        let due_at = last_due_at.min(claimed_at - MAX_COMMIT_DELAY);
        match self.by_endpoint.get_mut(&endpoint) {
            Some(cursor) if asked_at < cursor.begun_at + CURSOR_VALID_FOR => {
                cursor.due_at = cursor.due_at.max(due_at);
            }
            _ => {
                self.by_endpoint.insert(endpoint, Cursor { due_at, begun_at: asked_at });
            }
        }
    }

    /// Drops what is no longer valid.
    pub(super) fn forget_old(&mut self, now: Instant) {
        self.by_endpoint.retain(|_, cursor| now < cursor.begun_at + CURSOR_VALID_FOR);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_follows_what_was_claimed_stays_behind_the_present_and_ends() {
        let (endpoint, now, moment) = (EndpointId::generate(), Instant::now(), DateTime::UNIX_EPOCH);
        let mut cursors = ClaimCursors::default();
        assert_eq!(cursors.of(endpoint, now), None);

        let old = moment - TimeDelta::minutes(10);
        cursors.advance(endpoint, old, moment, now);
        assert_eq!(cursors.of(endpoint, now), Some(old));
        let later = now + Duration::from_secs(10);
        cursors.advance(endpoint, moment, moment, later);
        assert_eq!(
            cursors.of(endpoint, later),
            Some(moment - MAX_COMMIT_DELAY),
            "what commits late is still found"
        );

        let ended = now + CURSOR_VALID_FOR;
        assert_eq!(cursors.of(endpoint, ended), None, "claims in between do not prolong it");
        cursors.advance(endpoint, old, moment, ended);
        assert_eq!(cursors.of(endpoint, ended), Some(old));
        cursors.forget_old(ended + CURSOR_VALID_FOR);
        assert!(cursors.by_endpoint.is_empty());
    }
}
