//! Dead letters: why a delivery died, where a dead letter stands, and which ones an operator means.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::id::{ApplicationId, DeadLetterId, EndpointId};

/// Why a delivery became a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeathReason {
    /// Every attempt of the schedule failed.
    Exhausted,
    /// The receiver answered 410.
    Gone,
    /// No request could be built for it.
    Unsendable,
    /// Its endpoint stayed disabled for longer than deliveries are held.
    HoldExpired,
    /// Its endpoint was deleted.
    EndpointDeleted,
    /// The database refused what its last attempt brought.
    Unrecordable,
    /// It failed in a way that its endpoint does not have tried again.
    NotRetryable,
}

impl DeathReason {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Exhausted,
        Self::Gone,
        Self::Unsendable,
        Self::HoldExpired,
        Self::EndpointDeleted,
        Self::Unrecordable,
        Self::NotRetryable,
    ];

    /// As stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Gone => "gone",
            Self::Unsendable => "unsendable",
            Self::HoldExpired => "hold_expired",
            Self::EndpointDeleted => "endpoint_deleted",
            Self::Unrecordable => "unrecordable",
            Self::NotRetryable => "not_retryable",
        }
    }

    /// From the name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// Where a dead letter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadLetterState {
    /// Nobody has dealt with it.
    Open,
    /// Its delivery went back to work. When that fails for good, the dead letter is open again.
    Replayed,
    /// Somebody decided that it need not arrive. It can still be replayed, by its id or by asking for
    /// discarded ones.
    Discarded,
}

impl DeadLetterState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Replayed, Self::Discarded];

    /// As shown, and as filters name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Replayed => "replayed",
            Self::Discarded => "discarded",
        }
    }

    /// From the name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// From the two moments that are stored; the schema never has both.
    pub const fn of(replayed_at: Option<DateTime<Utc>>, discarded_at: Option<DateTime<Utc>>) -> Self {
        match (replayed_at, discarded_at) {
            (Some(_), _) => Self::Replayed,
            (None, Some(_)) => Self::Discarded,
            (None, None) => Self::Open,
        }
    }
}

/// Which dead letters are meant. What is not given does not narrow. It is kept with a bulk replay, in the words
/// of the API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeadLetterFilter {
    /// One of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<DeadLetterId>>,
    /// Of one application.
    #[serde(rename = "appId", skip_serializing_if = "Option::is_none")]
    pub application_id: Option<ApplicationId>,
    /// Of one endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_id: Option<EndpointId>,
    /// Of messages of one event type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// That died for one reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<DeathReason>,
    /// Whose last answer had this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    /// That died at or after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    /// That died before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// That stand there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<DeadLetterState>,
    /// Narrows nothing: where a replay sends them, instead of to the endpoint that missed them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_endpoint_id: Option<EndpointId>,
    /// Narrows nothing: a replay sends the oldest of each endpoint alone, and goes on only if it is answered 2xx.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub oldest_first: bool,
}

impl DeadLetterFilter {
    /// Whether an operation on many means discarded ones. It means open ones unless the filter says so.
    pub fn means_discarded(&self) -> bool {
        self.state == Some(DeadLetterState::Discarded)
    }

    /// The ids as a statement takes them: nothing means all.
    pub fn chosen(&self) -> Option<Vec<Uuid>> {
        self.ids.as_ref().map(|ids| ids.iter().map(|id| id.uuid()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for reason in DeathReason::ALL {
            assert_eq!(DeathReason::from_name(reason.name()), Some(reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
        }
        for state in DeadLetterState::ALL {
            assert_eq!(DeadLetterState::from_name(state.name()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
        assert_eq!(DeathReason::from_name("bored"), None);
        assert_eq!(DeadLetterState::from_name(""), None);
    }

    #[test]
    fn a_filter_is_kept_in_the_words_of_the_api() {
        let filter = DeadLetterFilter {
            application_id: Some(ApplicationId::generate()),
            status_code: Some(500),
            state: Some(DeadLetterState::Open),
            ..DeadLetterFilter::default()
        };
        let kept = serde_json::to_value(&filter).unwrap();
        let mut names: Vec<_> = kept.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["appId", "state", "statusCode"]);
        assert_eq!(serde_json::from_value::<DeadLetterFilter>(kept).unwrap(), filter);
    }
}
