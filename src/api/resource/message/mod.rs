//! Messages: what was accepted.

mod batch;
pub mod create;
pub mod expunge;
mod input;
pub mod payload;
mod precheck;
mod read;
pub mod resend;

pub(in crate::api) use create::record_of;
pub(in crate::api) use create::refused;
pub(in crate::api) use payload::wrong_payload;
pub(in crate::api) use read::EventTypes;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::api::error::ApiError;
use crate::api::state::SharedState;
use crate::domain::id::MessageId;
use crate::store::{Content, MessageRecord};

/// A message.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageOut {
    /// Its id, which receivers see as `webhook-id`.
    #[schema(value_type = String, example = "msg_01h455vb4pex5vsknk084sn02q")]
    pub id: MessageId,
    /// Your own id for it.
    pub event_id: Option<String>,
    /// Its event type.
    #[schema(example = "invoice.paid")]
    pub event_type: String,
    /// The payload as it was posted, byte for byte. `{}` when it was not asked for, `{"expired":true}` when it
    /// was expunged.
    #[schema(value_type = Object)]
    pub payload: Box<RawValue>,
    /// Its channels.
    pub channels: Option<Vec<String>>,
    /// Its tags.
    pub tags: Option<Vec<String>>,
    /// When it was accepted.
    pub timestamp: DateTime<Utc>,
}

impl MessageOut {
    /// Shapes a message.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when what is stored is not JSON.
    pub fn of(record: MessageRecord) -> Result<Self, ApiError> {
        Ok(Self {
            id: record.id,
            event_id: record.event_id,
            event_type: record.event_type,
            payload: payload_of(record.content)?,
            channels: some_if_any(record.channels),
            tags: some_if_any(record.tags),
            timestamp: record.id.created_at(),
        })
    }
}

/// `null` and an empty list mean the same; clients expect the former.
pub(in crate::api) fn some_if_any(list: Vec<String>) -> Option<Vec<String>> {
    (!list.is_empty()).then_some(list)
}

/// A payload as clients get it; `None` for one that was not asked for.
pub(in crate::api) fn payload_of(content: Option<Content>) -> Result<Box<RawValue>, ApiError> {
    let bytes = match content {
        None => b"{}".to_vec(),
        Some(Content::Expunged) => br#"{"expired":true}"#.to_vec(),
        Some(Content::Kept(bytes)) => bytes,
    };
    let raw = String::from_utf8(bytes).ok().and_then(|text| RawValue::from_string(text).ok());
    raw.ok_or_else(|| {
        tracing::error!("a stored payload is not JSON");
        ApiError::Internal
    })
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .merge(create::routes())
        .merge(batch::routes())
        .merge(precheck::routes())
        .merge(read::routes())
        .merge(resend::routes())
        .merge(expunge::routes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_shown_as_it_was_posted() {
        for text in
            [r#"{"b":1e400,"a":[12345678901234567890123456789012345678901]}"#, r#"{ "x" : "\ud800\u0000" }"#]
        {
            let payload = payload_of(Some(Content::Kept(text.as_bytes().to_vec()))).unwrap();
            assert_eq!(serde_json::to_string(&payload).unwrap(), text);
        }
    }

    #[test]
    fn content_that_is_not_there_is_still_an_object() {
        assert_eq!(payload_of(None).unwrap().get(), "{}");
        assert_eq!(payload_of(Some(Content::Expunged)).unwrap().get(), r#"{"expired":true}"#);
        assert_eq!(payload_of(Some(Content::Kept(vec![0xff]))).unwrap_err(), ApiError::Internal);
    }
}
