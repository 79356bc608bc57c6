//! Attempts: the requests that were made, and what came back.

pub mod delivery_status;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::error::ApiError;
use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::moment::optional_moment;
use crate::api::conventions::page::{ListOut, Ordering, PlainPageQuery};
use crate::api::credential::Caller;
use crate::api::intake::answer::HeldAnswer;
use crate::api::resource::path::{AttemptPath, EndpointPath, MessagePath, named_endpoint};
use crate::api::state::SharedState;
use crate::domain::delivery::attempt::Failure;
use crate::domain::id::reference::Reference;
use crate::domain::id::{AttemptId, EndpointId, MessageId};
use crate::domain::page::Stretch;
use crate::store::{AttemptFilter, AttemptRecord, MessageFilter, MessageRecord, StatusClass, TimeBounds};

use super::message::{EventTypes, MessageOut};

/// An attempt.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttemptOut {
    /// Its id.
    #[schema(value_type = String, example = "atmpt_01h455vb4pex5vsknk084sn02q")]
    pub id: AttemptId,
    /// Of which message.
    #[schema(value_type = String)]
    pub msg_id: MessageId,
    /// To which endpoint.
    #[schema(value_type = String)]
    pub endpoint_id: EndpointId,
    /// Where the request went.
    pub url: String,
    /// The start of the answer, 16 KiB at most.
    pub response: String,
    /// The answer's status; 0 when there was none.
    pub response_status_code: u16,
    /// How long the exchange took.
    pub response_duration_ms: i32,
    /// 0: delivered; 2: failed.
    pub status: u8,
    /// `success` or `fail`.
    pub status_text: &'static str,
    /// 0: by the schedule; 1: by a resend or a replay.
    pub trigger_type: i16,
    /// 1 for the first of a round of the schedule.
    pub attempt_number: u16,
    /// What went wrong: `status`, `timeout`, `connection`, …
    pub failure: Option<String>,
    /// When it was made.
    pub timestamp: DateTime<Utc>,
    /// The message without its payload, when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub msg: Option<MessageOut>,
}

impl AttemptOut {
    /// Shapes an attempt.
    pub(in crate::api) fn of(record: AttemptRecord, with_msg: bool) -> Result<Self, ApiError> {
        let message_id = record.message_id;
        let msg = record.message.filter(|_| with_msg).map(|message| MessageRecord {
            id: message_id,
            event_type: message.event_type,
            event_id: message.event_id,
            channels: message.channels,
            tags: message.tags,
            content: None,
        });
        let (status, status_text) = if record.delivered { (0, "success") } else { (2, "fail") };
        Ok(Self {
            id: record.id,
            msg_id: message_id,
            endpoint_id: record.endpoint_id,
            url: record.url,
            response: String::from_utf8_lossy(&record.response.unwrap_or_default()).into_owned(),
            response_status_code: record.http_status.unwrap_or(0),
            response_duration_ms: record.duration_ms,
            status,
            status_text,
            trigger_type: record.trigger.code(),
            attempt_number: record.number,
            failure: record.failure,
            timestamp: record.id.created_at(),
            msg: msg.map(MessageOut::of).transpose()?,
        })
    }
}

/// What a tenant is told of a name that leads to an address that is not allowed: that it leads nowhere. Names within our
/// network are none of theirs, not even whether they exist.
pub(in crate::api) const UNREACHABLE: Failure = Failure::Dns;
const UNREACHABLE_SENTENCE: &str = "the name could not be resolved";

impl AttemptOut {
    /// As this caller sees it.
    #[must_use]
    pub(in crate::api) fn shown_to(mut self, caller: &Caller) -> Self {
        self.url = caller.shown_url(self.url);
        if caller.is_tenant() && self.failure.as_deref() == Some(Failure::EgressRefused.name()) {
            self.failure = Some(UNREACHABLE.name().to_owned());
            self.response = UNREACHABLE_SENTENCE.to_owned();
        }
        self
    }
}

/// Which attempts to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// 0: only those that delivered; 2: only those that failed. Attempts are recorded when they have ended, so the
    /// others (1: pending, 3: sending, 4: canceled) find none.
    #[param(minimum = 0, maximum = 4)]
    status: Option<u8>,
    /// Only answers of that class: 100, 200, 300, 400 or 500; 0 for none at all.
    status_code_class: Option<u16>,
    /// Only of messages in this channel.
    channel: Option<String>,
    /// Only of messages with this tag.
    tag: Option<String>,
    /// Only those made before.
    #[serde(default, deserialize_with = "optional_moment")]
    before: Option<DateTime<Utc>>,
    /// Only those made then or later.
    #[serde(default, deserialize_with = "optional_moment")]
    after: Option<DateTime<Utc>>,
    /// Whether to show what the receiver answered.
    #[param(default = true)]
    with_content: Option<bool>,
    /// Whether to show the message, without its payload.
    #[param(default = false)]
    with_msg: Option<bool>,
    /// Whether to tell canceled attempts from delivered ones. No attempt is ever canceled, so it changes nothing.
    #[param(default = false)]
    #[serde(rename = "expanded_statuses")]
    _expanded_statuses: Option<bool>,
}

/// At which endpoint.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EndpointQuery {
    /// Only at this endpoint, by id or `uid`.
    endpoint_id: Option<String>,
}

impl ListQuery {
    /// `None` when no attempt can match.
    fn filter(&mut self, event_types: Vec<String>) -> Result<Option<AttemptFilter>, ApiError> {
        let delivered = match self.status {
            None => None,
            Some(0) => Some(true),
            Some(2) => Some(false),
            Some(1 | 3 | 4) => return Ok(None),
            Some(_) => return Err(ApiError::invalid(&["query", "status"], "is no status", "value_error")),
        };
        let status_class = match self.status_code_class {
            None => None,
            Some(0) => Some(StatusClass::None),
            Some(class @ (100 | 200 | 300 | 400 | 500)) => {
                Some(StatusClass::Hundreds(class.cast_signed() / 100))
            }
            Some(_) => {
                let loc = ["query", "status_code_class"];
                return Err(ApiError::invalid(&loc, "is no class of status codes", "value_error"));
            }
        };
        Ok(Some(AttemptFilter {
            delivered,
            status_class,
            made: TimeBounds { since: self.after, until: self.before },
            message: MessageFilter {
                event_types,
                channel: self.channel.take(),
                tag: self.tag.take(),
                accepted: TimeBounds::default(),
            },
        }))
    }

    fn shape(
        &self,
        rows: Vec<AttemptRecord>,
        caller: &Caller,
        most_bytes: usize,
    ) -> Result<Stretch<AttemptOut>, ApiError> {
        let with_msg = self.with_msg.unwrap_or(false);
        let fitting = Stretch::within(most_bytes, rows, |row| shown_bytes(row.response.as_deref()));
        fitting.try_map(|row| Ok(AttemptOut::of(row, with_msg)?.shown_to(caller)))
    }
}

/// How long an answer is at most when it is shown as JSON: what is not text is replaced, and controls are escaped.
fn shown_bytes(response: Option<&[u8]>) -> usize {
    let shown = |byte: &u8| match byte {
        0..0x20 => 6,
        b'"' | b'\\' => 2,
        0x20..0x80 => 1,
        0x80.. => 3,
    };
    response.unwrap_or_default().iter().map(shown).sum()
}

/// List the attempts at an endpoint.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/attempt/endpoint/{endpoint_id}",
    operation_id = "v1.message-attempt.list-by-endpoint", tag = "attempt",
    params(
        EndpointPath,
        ("event_types" = Option<Vec<String>>, Query, description = "Only of messages of these event types."),
        PlainPageQuery,
        ListQuery
    ),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<AttemptOut>))
)]
async fn list_by_endpoint(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
    ApiQuery(page): ApiQuery<PlainPageQuery>,
    ApiQuery(mut query): ApiQuery<ListQuery>,
    EventTypes(event_types): EventTypes,
) -> Result<HeldAnswer<ListOut<AttemptOut>>, ApiError> {
    let page = page.request::<AttemptId>(Ordering::Descending)?;
    let content = query.with_content.unwrap_or(true);
    let (_, room) = state.listed(content).await?;
    let rows = match query.filter(event_types)? {
        None => Vec::new(),
        Some(filter) => {
            state.history.attempts_at_endpoint(path.endpoint, &filter, content, &page.scan).await?
        }
    };
    let found = query.shape(rows, &caller, state.intake.page_bytes)?;
    let body = Json(page.answer(found, |attempt| attempt.id.to_string(), |attempt| attempt));
    Ok(HeldAnswer { body, room })
}

/// List the attempts of a message.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/attempt/msg/{msg_id}", operation_id = "v1.message-attempt.list-by-msg",
    tag = "attempt",
    params(
        MessagePath,
        ("event_types" = Option<Vec<String>>, Query, description = "Only if the message is of one of these."),
        PlainPageQuery,
        ListQuery,
        EndpointQuery
    ),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<AttemptOut>))
)]
async fn list_by_message(
    State(state): State<SharedState>,
    caller: Caller,
    path: MessagePath,
    ApiQuery(page): ApiQuery<PlainPageQuery>,
    ApiQuery(mut query): ApiQuery<ListQuery>,
    ApiQuery(at): ApiQuery<EndpointQuery>,
    EventTypes(event_types): EventTypes,
) -> Result<HeldAnswer<ListOut<AttemptOut>>, ApiError> {
    let endpoint = match &at.endpoint_id {
        None => None,
        Some(named) => Some(named_endpoint(&state, path.application, &Reference::parse(named)).await?),
    };
    let page = page.request::<AttemptId>(Ordering::Descending)?;
    let content = query.with_content.unwrap_or(true);
    let (_, room) = state.listed(content).await?;
    let rows = match query.filter(event_types)? {
        None => Vec::new(),
        Some(filter) => {
            state.history.attempts_of_message(path.message, endpoint, &filter, content, &page.scan).await?
        }
    };
    let found = query.shape(rows, &caller, state.intake.page_bytes)?;
    let body = Json(page.answer(found, |attempt| attempt.id.to_string(), |attempt| attempt));
    Ok(HeldAnswer { body, room })
}

/// Get an attempt.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}",
    operation_id = "v1.message-attempt.get", tag = "attempt",
    params(AttemptPath),
    responses((status = 200, description = "The attempt.", body = AttemptOut))
)]
async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: AttemptPath,
) -> Result<Json<AttemptOut>, ApiError> {
    let record = state.history.attempt(path.message, path.attempt).await?.ok_or(ApiError::NotFound)?;
    Ok(Json(AttemptOut::of(record, false)?.shown_to(&caller)))
}

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(list_by_endpoint))
        .routes(routes!(list_by_message))
        .routes(routes!(get))
        .merge(delivery_status::routes())
}
