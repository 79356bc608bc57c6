//! What a stream tells.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::credential::Caller;
use crate::api::resource::attempt::shown_failure;
use crate::domain::id::{ApplicationId, AttemptId, EndpointId, MessageId};
use crate::domain::live::report::{AttemptSeen, MessageSeen};
use crate::store::Gauges;

/// One event of a stream, as its `data`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it only describes what the parts of a stream are")]
pub(super) enum LiveEvent {
    /// `event: message`.
    Message(LiveMessage),
    /// `event: attempt`.
    Attempt(LiveAttempt),
    /// `event: counters`.
    Counters(LiveCounters),
    /// `event: sampled`.
    Sampled(LiveSampled),
    /// `event: hello`.
    Hello(LiveHello),
    /// `event: bye`.
    Bye(LiveBye),
}

/// The stream begins.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LiveHello {
    /// When.
    pub(super) at: DateTime<Utc>,
}

/// The stream ends.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LiveBye {
    /// `signed_out`: the credential holds no longer. `shutting_down`: the node stops. `too_slow`: what was sent was not taken.
    #[schema(example = "shutting_down")]
    pub(super) reason: &'static str,
}

/// Where the deliveries of a message stand.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LiveDeliveries {
    /// Answered 2xx.
    delivered: u32,
    /// In a node's memory.
    in_flight: u32,
    /// In the queue.
    waiting: u32,
    /// Held, because the endpoint is closed.
    held: u32,
    /// Dead letters.
    dead: u32,
    /// Called off.
    cancelled: u32,
}

/// A message was accepted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LiveMessage {
    /// Its id.
    #[schema(value_type = String, example = "msg_01h455vb4pex5vsknk084sn02q")]
    id: MessageId,
    /// Of which application.
    #[schema(value_type = String)]
    app_id: ApplicationId,
    /// What that is called, 256 characters at most; `null` when it is deleted, and while that cannot be read.
    #[schema(required)]
    app_name: Option<String>,
    /// Its event type.
    event_type: String,
    /// Your own id for it.
    #[schema(required)]
    event_id: Option<String>,
    /// Its channels.
    channels: Vec<String>,
    /// Its tags.
    tags: Vec<String>,
    /// When it was accepted.
    timestamp: DateTime<Utc>,
    /// The length of its payload.
    #[schema(required)]
    size_bytes: Option<u64>,
    /// Its deliveries as it was accepted.
    deliveries: LiveDeliveries,
}

/// An attempt was recorded.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LiveAttempt {
    /// Its id.
    #[schema(value_type = String, example = "atmpt_01h455vb4pex5vsknk084sn02q")]
    id: AttemptId,
    /// Of which message.
    #[schema(value_type = String)]
    msg_id: MessageId,
    /// Of which application.
    #[schema(value_type = String)]
    app_id: ApplicationId,
    /// To which endpoint.
    #[schema(value_type = String)]
    endpoint_id: EndpointId,
    /// The message's event type.
    event_type: String,
    /// 1 for the first of a round of the schedule.
    number: u16,
    /// Whether it arrived.
    delivered: bool,
    /// The answer's status; `null` when there was none.
    #[schema(required)]
    status_code: Option<u16>,
    /// What went wrong.
    #[schema(required)]
    failure: Option<String>,
    /// How long it took.
    duration_ms: u64,
    /// When it was made.
    at: DateTime<Utc>,
    /// What the delivery became by it: `delivered`, `waiting` or `dead`.
    #[schema(example = "delivered")]
    state: String,
}

/// How much happens and how much there is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LiveCounters {
    /// Until when it was counted.
    pub(super) at: DateTime<Utc>,
    /// Messages.
    pub(super) accepted_per_second: f64,
    /// Attempts that arrived.
    pub(super) delivered_per_second: f64,
    /// Attempts that did not.
    pub(super) failed_per_second: f64,
    /// Requests under way; `null` where it is not known.
    #[schema(required)]
    pub(super) in_flight: Option<i64>,
    /// Deliveries that are due and wait, as the last look at the queue found them; `null` while that cannot be read.
    #[schema(required)]
    pub(super) due: Option<i64>,
    /// Dead letters that nobody has dealt with; `null` where it is not known.
    #[schema(required)]
    pub(super) dead_open: Option<i64>,
}

/// Of so many messages and attempts so many were told one by one.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct LiveSampled {
    /// Told.
    pub(super) shown: u64,
    /// Of.
    pub(super) of: u64,
    /// In how many seconds.
    pub(super) seconds: f64,
}

impl LiveMessage {
    pub(super) fn of(seen: &MessageSeen, app_name: Option<&str>) -> Self {
        Self {
            id: seen.id,
            app_id: seen.application,
            app_name: app_name.map(ToOwned::to_owned),
            event_type: seen.event_type.clone(),
            event_id: seen.event_id.clone(),
            channels: seen.channels.clone(),
            tags: seen.tags.clone(),
            timestamp: seen.id.created_at(),
            size_bytes: u64::try_from(seen.size_bytes).ok(),
            deliveries: LiveDeliveries {
                delivered: 0,
                in_flight: seen.in_flight,
                waiting: seen.waiting,
                held: seen.held,
                dead: 0,
                cancelled: 0,
            },
        }
    }
}

impl LiveAttempt {
    /// As this caller sees it.
    pub(super) fn shown_to(caller: &Caller, seen: &AttemptSeen) -> Self {
        Self {
            id: seen.id,
            msg_id: seen.message,
            app_id: seen.application,
            endpoint_id: seen.endpoint,
            event_type: seen.event_type.clone(),
            number: seen.number,
            delivered: seen.failure.is_none(),
            status_code: seen.status,
            failure: seen.failure.clone().map(|failure| shown_failure(caller, failure)),
            duration_ms: seen.duration_ms,
            at: seen.at(),
            state: seen.state.clone(),
        }
    }
}

impl LiveCounters {
    pub(super) fn with(self, gauges: Gauges) -> Self {
        Self { in_flight: gauges.in_flight, due: gauges.due, dead_open: gauges.dead_open, ..self }
    }
}
