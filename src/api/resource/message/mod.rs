//! Messages: what was accepted.

mod batch;
mod cancel;
pub mod create;
pub mod expunge;
mod input;
mod params;
pub mod payload;
mod precheck;
mod read;
pub mod resend;

pub(in crate::api) use create::record_of;
pub(in crate::api) use create::refused;
#[cfg(test)]
pub(in crate::api) use input::RESERVED_EVENT_IDS;
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
    /// The payload, where it is a text that is no JSON object; `payload` is `{}` then.
    pub raw_payload: Option<String>,
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
    /// [`ApiError::Internal`] when what is stored is not text.
    pub fn of(record: MessageRecord) -> Result<Self, ApiError> {
        let (payload, raw_payload) = shown_payload(record.content)?;
        Ok(Self {
            id: record.id,
            event_id: record.event_id,
            event_type: record.event_type,
            payload,
            raw_payload,
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

/// A payload as clients get it, `None` for one that was not asked for: a JSON object, which all of them can read, and a
/// text where it is no such object.
pub(in crate::api) fn shown_payload(
    content: Option<Content>,
) -> Result<(Box<RawValue>, Option<String>), ApiError> {
    let object = |text: &str| RawValue::from_string(text.to_owned()).map_err(|_| ApiError::Internal);
    let bytes = match content {
        None => return Ok((object("{}")?, None)),
        Some(Content::Expunged) => return Ok((object(r#"{"expired":true}"#)?, None)),
        Some(Content::Kept(bytes)) => bytes,
    };
    let text = String::from_utf8(bytes).map_err(|_| {
        tracing::error!("a stored payload is not text");
        ApiError::Internal
    })?;
    if wrong_payload(text.as_bytes()).is_none()
        && let Ok(payload) = object(&text)
    {
        return Ok((payload, None));
    }
    Ok((object("{}")?, Some(text)))
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .merge(create::routes())
        .merge(batch::routes())
        .merge(precheck::routes())
        .merge(read::routes())
        .merge(resend::routes())
        .merge(cancel::routes())
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
            let (payload, raw) = shown_payload(Some(Content::Kept(text.as_bytes().to_vec()))).unwrap();
            assert_eq!((serde_json::to_string(&payload).unwrap().as_str(), raw), (text, None));
        }
    }

    #[test]
    fn content_that_is_not_there_is_still_an_object() {
        assert_eq!(shown_payload(None).unwrap().0.get(), "{}");
        assert_eq!(shown_payload(Some(Content::Expunged)).unwrap().0.get(), r#"{"expired":true}"#);
        assert_eq!(shown_payload(Some(Content::Kept(vec![0xff]))).unwrap_err(), ApiError::Internal);
    }

    #[test]
    fn a_payload_that_is_no_object_is_shown_as_text_beside_an_empty_one() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(300), "]".repeat(300));
        for text in ["<a/>", "[1]", "7", "{not JSON", &deep] {
            let (payload, raw) = shown_payload(Some(Content::Kept(text.as_bytes().to_vec()))).unwrap();
            assert_eq!((payload.get(), raw.as_deref()), ("{}", Some(text)));
        }
    }
}
