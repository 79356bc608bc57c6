//! How an attempt looks from outside.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::message::MessageOut;
use crate::domain::delivery::attempt::Failure;
use crate::domain::id::{AttemptId, EndpointId, MessageId};
use crate::store::{AttemptRecord, MessageRecord};

use super::exchange::{HeaderOut, TimingsOut};

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
    /// The answer's headers that are kept; `null` when there was no answer, or when content was not asked for.
    #[schema(required)]
    pub(in crate::api) response_headers: Option<Vec<HeaderOut>>,
    /// How long the exchange took, all its steps together.
    pub response_duration_ms: i32,
    /// How long its steps took; `null` where that is not known.
    #[schema(required)]
    pub(in crate::api) timings: Option<TimingsOut>,
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
            response_headers: record
                .response_headers
                .filter(|_| record.http_status.is_some())
                .map(|headers| headers.into_iter().map(HeaderOut::shown).collect()),
            response_duration_ms: record.duration_ms,
            timings: TimingsOut::of(record.timings),
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
const UNREACHABLE: Failure = Failure::Dns;
const UNREACHABLE_SENTENCE: &str = "the name could not be resolved";

/// What went wrong, as this caller is told.
pub(in crate::api) fn shown_failure(caller: &Caller, failure: String) -> String {
    let is_hidden = caller.is_tenant() && failure == Failure::EgressRefused.name();
    if is_hidden { UNREACHABLE.name().to_owned() } else { failure }
}

/// Why there was no answer, as this caller is told.
pub(in crate::api) fn shown_error(caller: &Caller, failure: Option<&str>, error: String) -> String {
    let is_hidden = caller.is_tenant() && failure == Some(Failure::EgressRefused.name());
    if is_hidden { UNREACHABLE_SENTENCE.to_owned() } else { error }
}

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
