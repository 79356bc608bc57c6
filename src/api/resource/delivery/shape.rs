//! How a delivery looks from outside.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::conventions::capped::CappedCount;
use crate::domain::delivery::DeliveryState;
use crate::domain::id::{DeadLetterId, EndpointId};

/// A delivery of a message.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct DeliveryOut {
    /// Where it goes.
    #[schema(value_type = String)]
    pub(super) endpoint_id: EndpointId,
    /// The endpoint's URL, as it is now.
    pub(super) endpoint_url: String,
    /// What the endpoint is for.
    pub(super) endpoint_description: String,
    /// When the endpoint was deleted.
    #[schema(required)]
    pub(super) endpoint_deleted_at: Option<DateTime<Utc>>,
    /// Its state.
    pub(super) state: StateName,
    /// Why it stands there.
    pub(super) why: DeliveryWhyOut,
    /// Attempts made in this round of the schedule.
    #[schema(example = 3)]
    pub(super) attempts_made: u16,
    /// Of how many, by the schedule that holds now. Those that were refused as too fast come on top.
    #[schema(example = 7)]
    pub(super) attempts_planned: u16,
    /// When it is tried next, where that is later than now.
    #[schema(required)]
    pub(super) next_attempt_at: Option<DateTime<Utc>>,
    /// If all fail: the attempts after the next one, without jitter.
    pub(super) later_attempts_at: Vec<DateTime<Utc>>,
    /// When it ended.
    #[schema(required)]
    pub(super) settled_at: Option<DateTime<Utc>>,
    /// The status of the last answer.
    #[schema(required)]
    pub(super) last_status_code: Option<u16>,
    /// What went wrong at the last attempt: `status`, `timeout`, `connection`, …
    #[schema(required)]
    pub(super) last_failure: Option<String>,
    /// Its dead letter, if it died and was not replayed since.
    #[schema(required, value_type = Option<String>, example = json!(null))]
    pub(super) dead_letter_id: Option<DeadLetterId>,
}

/// Why a delivery stands where it does.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "code": "endpoint_paused", "at": "2026-01-31T12:00:00Z", "by": "ops", "ahead": {"count": 312, "isCapped": false},
    "heldUntil": "2026-03-02T12:00:00Z"
}))]
pub(in crate::api) struct DeliveryWhyOut {
    /// `delivered`, `in_flight`, `retry` (it is tried later), `due` (it is in the queue), `rate_limited` (the same, and the
    /// endpoint or its application has a limit); held: `endpoint_paused`, `application_paused`, `all_paused`,
    /// `disabled_by_request`, `disabled_gone`, `disabled_failing`, `endpoint_deleted`; dead: `exhausted`, `gone`,
    /// `unsendable`, `hold_expired`, `endpoint_deleted`, `unrecordable`, `discarded`; `cancelled`.
    pub(super) code: &'static str,
    /// Since when: of a pause, of a disabled or deleted endpoint, of what ended.
    #[schema(required)]
    pub(super) at: Option<DateTime<Utc>>,
    /// Who paused, disabled, deleted or discarded: the name of a key or a person, or what the audit log has.
    #[schema(required)]
    pub(super) by: Option<String>,
    /// How many of this endpoint go before it; `null` where it waits for none.
    #[schema(required)]
    pub(super) ahead: Option<CappedCount>,
    /// When it becomes a dead letter, if it is held until then.
    #[schema(required)]
    pub(super) held_until: Option<DateTime<Utc>>,
}

/// How many deliveries of a message are in each state; a thousand are counted. A retry that a node has counts as waiting.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct DeliveryCountsOut {
    /// Arrived.
    delivered: i64,
    /// With a node, for the first attempt.
    in_flight: i64,
    /// In the queue.
    waiting: i64,
    /// In the queue of an endpoint that was closed when they came.
    held: i64,
    /// Dead letters.
    dead: i64,
    /// Called off.
    cancelled: i64,
}

impl From<Vec<(DeliveryState, i64)>> for DeliveryCountsOut {
    fn from(counts: Vec<(DeliveryState, i64)>) -> Self {
        let mut out = Self::default();
        for (state, count) in counts {
            let place = match state {
                DeliveryState::Delivered => &mut out.delivered,
                DeliveryState::InFlight => &mut out.in_flight,
                DeliveryState::Waiting => &mut out.waiting,
                DeliveryState::Held => &mut out.held,
                DeliveryState::Dead => &mut out.dead,
                DeliveryState::Cancelled => &mut out.cancelled,
            };
            *place += count;
        }
        out
    }
}

/// A state of deliveries, as callers name it: `in_flight` is with a node (its request is out, or it waits for its turn there),
/// `waiting` in the queue, `held` in the queue of an endpoint that takes nothing now, `dead` a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DeliveryState)]
pub(in crate::api) enum StateName {
    Dead,
    Held,
    Waiting,
    InFlight,
    Cancelled,
    Delivered,
}

impl From<DeliveryState> for StateName {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Delivered => Self::Delivered,
            DeliveryState::InFlight => Self::InFlight,
            DeliveryState::Waiting => Self::Waiting,
            DeliveryState::Held => Self::Held,
            DeliveryState::Dead => Self::Dead,
            DeliveryState::Cancelled => Self::Cancelled,
        }
    }
}

impl From<StateName> for DeliveryState {
    fn from(state: StateName) -> Self {
        match state {
            StateName::Delivered => Self::Delivered,
            StateName::InFlight => Self::InFlight,
            StateName::Waiting => Self::Waiting,
            StateName::Held => Self::Held,
            StateName::Dead => Self::Dead,
            StateName::Cancelled => Self::Cancelled,
        }
    }
}
