//! Background tasks: long operations with progress.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::delivery::Standing;
use super::id::{ApplicationId, EndpointId};

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskKind {
    /// Replays the dead letters of a filter.
    Replay,
    /// Discards them.
    Discard,
    /// Sends an endpoint what failed for good.
    Recover,
    /// Sends an endpoint messages for which it has no delivery.
    ReplayMissing,
    /// Sends an endpoint messages again, delivered or not.
    BulkReplay,
    /// Calls off what waits at an endpoint.
    CancelWaiting,
    /// Expunges the content of all messages of an application.
    PurgeContent,
    /// Counts the messages of applications.
    ApplicationUsage,
    /// Lists which event types applications ask for.
    EventTypeUsage,
}

impl TaskKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Replay,
        Self::Discard,
        Self::Recover,
        Self::ReplayMissing,
        Self::BulkReplay,
        Self::CancelWaiting,
        Self::PurgeContent,
        Self::ApplicationUsage,
        Self::EventTypeUsage,
    ];

    /// As stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replay => "dead_letter.replay",
            Self::Discard => "dead_letter.discard",
            Self::Recover => "endpoint.recover",
            Self::ReplayMissing => "endpoint.replay_missing",
            Self::BulkReplay => "endpoint.bulk_replay",
            Self::CancelWaiting => "endpoint.cancel_waiting",
            Self::PurgeContent => "application.purge_content",
            Self::ApplicationUsage => "application.usage",
            Self::EventTypeUsage => "event_type.usage",
        }
    }

    /// The nearest name that client libraries know.
    pub const fn client_name(self) -> &'static str {
        match self {
            Self::Replay | Self::BulkReplay => "endpoint.bulk-replay",
            Self::Recover => "endpoint.recover",
            Self::ReplayMissing => "endpoint.replay",
            Self::Discard | Self::CancelWaiting | Self::PurgeContent => "application.purge_content",
            Self::ApplicationUsage => "application.stats",
            Self::EventTypeUsage => "event-type.aggregate",
        }
    }

    /// Whether it puts deliveries back to work.
    pub const fn replays(self) -> bool {
        matches!(self, Self::Replay | Self::Recover | Self::ReplayMissing | Self::BulkReplay)
    }

    /// From the name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// Under way, or waiting for a node.
    Running,
    /// Done.
    Finished,
    /// Given up.
    Failed,
    /// Called off. What it had done by then is done.
    Cancelled,
}

impl TaskState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Running, Self::Finished, Self::Failed, Self::Cancelled];

    /// As stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// From the name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// How far a task has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it moved, emptied or counted.
    pub done: i64,
    /// How much there was when it was created, as far as that was known.
    pub total: i64,
}

/// Which messages an endpoint is to get, when it is to get many. It is kept with the task, in the words of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndpointReplay {
    /// Whose endpoint it is.
    #[serde(rename = "appId")]
    pub application_id: ApplicationId,
    /// To which endpoint.
    pub endpoint_id: EndpointId,
    /// Accepted at or after.
    pub since: DateTime<Utc>,
    /// Accepted before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Of these event types; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_types: Vec<String>,
    /// In this channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// With this tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Whose delivery stands there, by number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i16>,
    /// Whose last answer was of this class: 100 to 500, or 0 for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_code_class: Option<i16>,
}

impl EndpointReplay {
    /// Where a delivery must stand.
    pub fn standing(&self) -> Option<Standing> {
        self.status.and_then(Standing::from_code)
    }
}

/// Which deliveries of an endpoint are called off, of those that wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingFilter {
    /// Whose endpoint it is.
    #[serde(rename = "appId")]
    pub application_id: ApplicationId,
    /// At which endpoint.
    pub endpoint_id: EndpointId,
    /// Of messages accepted at or after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// Of messages accepted before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// Of these event types; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_types: Vec<String>,
    /// In this channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// With this tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

impl WaitingFilter {
    /// The event types as a statement takes them: none means all.
    pub fn event_types(&self) -> Option<&[String]> {
        (!self.event_types.is_empty()).then_some(self.event_types.as_slice())
    }
}

/// Whose content is expunged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContentPurge {
    /// Of this application.
    #[serde(rename = "appId")]
    pub application_id: ApplicationId,
}

/// Whose messages are counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageOrder {
    /// Accepted at or after.
    pub since: DateTime<Utc>,
    /// Accepted before.
    pub until: DateTime<Utc>,
    /// Of these applications; `None` for all.
    #[serde(rename = "appIds", default, skip_serializing_if = "Option::is_none")]
    pub application_ids: Option<Vec<ApplicationId>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for kind in TaskKind::ALL {
            assert_eq!(TaskKind::from_name(kind.name()), Some(kind));
        }
        for state in TaskState::ALL {
            assert_eq!(TaskState::from_name(state.name()), Some(state));
        }
        assert_eq!(TaskKind::from_name("dead_letter.forget"), None);
        assert_eq!(TaskState::from_name(""), None);
    }

    #[test]
    fn an_endpoint_replay_is_kept_in_the_words_of_the_api() {
        let order = EndpointReplay {
            application_id: ApplicationId::generate(),
            endpoint_id: EndpointId::generate(),
            since: DateTime::UNIX_EPOCH,
            until: None,
            event_types: vec!["a.b".to_owned()],
            channel: None,
            tag: None,
            status: Some(2),
            status_code_class: None,
        };
        let kept = serde_json::to_value(&order).unwrap();
        let mut names: Vec<_> = kept.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["appId", "endpointId", "eventTypes", "since", "status"]);
        assert_eq!(serde_json::from_value::<EndpointReplay>(kept).unwrap(), order);
        assert_eq!(order.standing(), Some(Standing::Fail));
    }
}
