//! What counts as an incident, and who has to get up for it.
//!
//! An incident is derived from what is there; nothing but its acknowledgement is stored. Its id has its beginning in it, so
//! one that ends and begins anew is a new one.
//!
//! The rule for *needs you now* and *can wait until morning*: an incident needs somebody now when nobody has said that
//! they know of it and either it is our own fault (a node stopped, everything is paused, or what is due does not go out
//! although its receiver is well), or it is losing deliveries: dead letters were added for its endpoint within the last
//! hour. Everything else can wait: an endpoint that fails keeps its deliveries waiting, and one that is disabled holds
//! them, so nothing is lost by morning. A backlog that is being sent is no incident, however old it is: that would wake
//! somebody whenever a receiver has recovered.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// So many failed attempts in a row make an endpoint fail.
pub const FAILURES_IN_ROW: i32 = 3;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// A node sent no heartbeat for twenty seconds, or was taken over and did not come back.
    NodeStopped,
    /// Somebody paused everything.
    DispatchingPaused,
    /// Something is due for more than a minute at an endpoint that is open and does not fail, and nothing goes out to it.
    Overdue,
    /// An endpoint has not answered well for three attempts or more.
    EndpointFailing,
    /// An endpoint was disabled because it answered 410, or because it only failed.
    EndpointDisabled,
}

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// Ours.
    Ours,
    /// The receiver's.
    Receiver,
}

/// When somebody has to look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Now.
    Now,
    /// It can wait until morning.
    Later,
}

impl IncidentKind {
    /// As ids begin, and as shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NodeStopped => "node_stopped",
            Self::DispatchingPaused => "dispatching_paused",
            Self::Overdue => "overdue",
            Self::EndpointFailing => "endpoint_failing",
            Self::EndpointDisabled => "endpoint_disabled",
        }
    }

    /// Whose fault it is.
    pub const fn whose(self) -> Whose {
        match self {
            Self::NodeStopped | Self::DispatchingPaused | Self::Overdue => Whose::Ours,
            Self::EndpointFailing | Self::EndpointDisabled => Whose::Receiver,
        }
    }

    /// The id of one that has to do with `object` and began at `since`.
    pub fn id(self, object: &str, since: DateTime<Utc>) -> String {
        format!("{}:{object}:{}", self.name(), since.timestamp())
    }
}

impl Band {
    /// The rule, as it stands at the top of this file.
    pub const fn of(kind: IncidentKind, is_acknowledged: bool, died_last_hour: i64) -> Self {
        let is_ours = matches!(kind.whose(), Whose::Ours);
        if !is_acknowledged && (is_ours || died_last_hour > 0) { Self::Now } else { Self::Later }
    }
}

/// The length of the buckets of a series of `count` that shows how something began: the beginning lies in it with a
/// quarter of its length before it, unless it is longer ago than the longest steps reach.
pub fn bucket_seconds(since: DateTime<Utc>, now: DateTime<Utc>, count: i64) -> i64 {
    let needed = (now - since).num_seconds().max(0) * 5 / 4;
    let lengths = [60, 180, 1_800, 10_800, 43_200];
    lengths.into_iter().find(|length| length * count >= needed).unwrap_or(43_200)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const OURS: [IncidentKind; 3] =
        [IncidentKind::NodeStopped, IncidentKind::DispatchingPaused, IncidentKind::Overdue];
    const THEIRS: [IncidentKind; 2] = [IncidentKind::EndpointFailing, IncidentKind::EndpointDisabled];

    #[test]
    fn what_is_ours_needs_somebody_now_until_somebody_knows() {
        for kind in OURS {
            assert_eq!((kind.whose(), Band::of(kind, false, 0)), (Whose::Ours, Band::Now), "{kind:?}");
            assert_eq!(Band::of(kind, true, 5), Band::Later, "{kind:?}");
        }
    }

    #[test]
    fn a_receiver_can_wait_unless_deliveries_die_for_it() {
        for kind in THEIRS {
            assert_eq!((kind.whose(), Band::of(kind, false, 0)), (Whose::Receiver, Band::Later), "{kind:?}");
            assert_eq!(Band::of(kind, false, 1), Band::Now, "{kind:?}");
            assert_eq!(Band::of(kind, true, 1), Band::Later, "{kind:?}");
        }
        assert!(Band::Now < Band::Later);
    }

    #[test]
    fn kinds_are_shown_by_the_names_that_ids_begin_with() {
        for kind in OURS.into_iter().chain(THEIRS) {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    #[test]
    fn a_new_start_is_a_new_incident() {
        let since = DateTime::from_timestamp(1_770_000_000, 900_000_000).unwrap();
        let id = |since| IncidentKind::EndpointFailing.id("ep_1", since);
        assert_eq!(id(since), "endpoint_failing:ep_1:1770000000");
        assert_ne!(id(since), id(since + TimeDelta::seconds(1)));
    }

    #[test]
    fn a_series_shows_its_beginning() {
        let now = DateTime::from_timestamp(1_770_000_000, 0).unwrap();
        let seconds = |minutes| bucket_seconds(now - TimeDelta::minutes(minutes), now, 40);
        assert_eq!([0, 32, 33, 96, 97, 40_000].map(seconds), [60, 60, 180, 180, 1_800, 43_200]);
    }
}
