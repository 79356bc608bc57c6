//! A message as it is posted: what it may say, and what is wrong with it.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::api::conventions::validate::Findings;
use crate::api::error::ApiError;
use crate::api::resource::application::ApplicationIn;
use crate::ingest::NewMessage;
use crate::store::IdempotencyKey;

use super::payload::wrong_payload;

pub(in crate::api::resource::message) const MAX_CHANNELS: usize = 5;
const MAX_TAGS: usize = 5;
const MAX_RETENTION_DAYS: u32 = 3_650;
/// A payload that is smaller than a connection's buffer, which is at least this large.
const MAX_COPIED_PAYLOAD_BYTES: usize = 8 * 1024;

/// A message to send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api::resource::message) struct MessageIn<'a> {
    /// Its event type.
    #[schema(min_length = 1, max_length = 256, pattern = "^[a-zA-Z0-9\\-_.]+$", example = "invoice.paid")]
    event_type: String,
    /// Your own id for it, unique in the application.
    #[schema(min_length = 1, max_length = 256, pattern = "^[a-zA-Z0-9\\-_.]+$")]
    event_id: Option<String>,
    /// What endpoints can filter by besides the event type.
    #[schema(max_items = 5)]
    channels: Option<Vec<String>>,
    /// What lists can filter by.
    #[schema(max_items = 5)]
    tags: Option<Vec<String>>,
    /// A JSON object, nested 256 deep at most. It is delivered byte for byte as it stands here.
    #[serde(borrow, alias = "data")]
    #[schema(value_type = Object, example = json!({"invoice": "in_1", "amount": 4200}))]
    payload: &'a RawValue,
    /// The payload is expunged after so many days, if the message is still there then.
    #[schema(minimum = 1, maximum = 3650)]
    payload_retention_period: Option<u32>,
    /// The same in hours; only one of both can be given.
    #[schema(minimum = 1, maximum = 87600)]
    payload_retention_hours: Option<u32>,
    /// The application to create, in case that there is none yet under the `uid` in the path.
    pub(in crate::api::resource::message) application: Option<ApplicationIn>,
    /// Not supported: a message is delivered at once.
    #[schema(ignore)]
    deliver_at: Option<IgnoredAny>,
    /// Only looked at for what would change the payload.
    #[schema(ignore)]
    transformations_params: Option<TransformationsParams>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TransformationsParams {
    raw_payload: Option<IgnoredAny>,
}

impl MessageIn<'_> {
    /// Says what is wrong with it.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] with each field.
    pub(in crate::api::resource::message) fn check(&self, app_id: &str) -> Result<(), ApiError> {
        let mut findings = Findings::of_body();
        findings.event_type("eventType", &self.event_type);
        findings.uid("eventId", self.event_id.as_deref());
        findings.channels("channels", self.channels.as_deref().unwrap_or_default(), MAX_CHANNELS);
        findings.channels("tags", self.tags.as_deref().unwrap_or_default(), MAX_TAGS);
        findings.note("payload", wrong_payload(self.payload.get().as_bytes()));
        if self.deliver_at.is_some() {
            findings.add("deliverAt", "is not supported: a message is delivered at once");
        }
        if self.transformations_params.as_ref().is_some_and(|params| params.raw_payload.is_some()) {
            findings
                .add("transformationsParams", "`rawPayload` is not supported: a payload is a JSON object");
        }
        if self.payload_retention_period.is_some_and(|days| !(1..=MAX_RETENTION_DAYS).contains(&days)) {
            findings.add("payloadRetentionPeriod", format!("must be between 1 and {MAX_RETENTION_DAYS}"));
        }
        if self.payload_retention_hours.is_some_and(|hours| !(1..=MAX_RETENTION_DAYS * 24).contains(&hours)) {
            findings
                .add("payloadRetentionHours", format!("must be between 1 and {}", MAX_RETENTION_DAYS * 24));
        }
        if self.payload_retention_period.is_some() && self.payload_retention_hours.is_some() {
            findings.add("payloadRetentionHours", "cannot be given together with `payloadRetentionPeriod`");
        }
        findings.finish()?;
        self.application.as_ref().map_or(Ok(()), |application| application.check_created_at(app_id))
    }

    /// The message that it asks for, whose payload is a part of `body`.
    pub(in crate::api::resource::message) fn message(
        self,
        body: &Bytes,
        idempotency: Option<IdempotencyKey>,
    ) -> NewMessage {
        NewMessage {
            payload: kept(body, self.payload.get().as_bytes()),
            payload_hours: self
                .payload_retention_hours
                .or(self.payload_retention_period.map(|days| days * 24)),
            event_type: self.event_type,
            event_id: self.event_id,
            channels: self.channels.unwrap_or_default(),
            tags: self.tags.unwrap_or_default(),
            only: None,
            idempotency,
        }
    }
}

/// The payload's bytes: a part of the body or, where the connection's whole buffer would be kept for it, a copy.
fn kept(body: &Bytes, payload: &[u8]) -> Bytes {
    if payload.len() < MAX_COPIED_PAYLOAD_BYTES {
        Bytes::copy_from_slice(payload)
    } else {
        body.slice_ref(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::conventions::extract::parse;

    fn refused_fields(body: &str) -> Vec<String> {
        let result = parse::<MessageIn<'_>>(body.as_bytes()).and_then(|input| input.check("tenant"));
        let ApiError::Invalid(fields) = result.unwrap_err() else { panic!() };
        fields.into_iter().map(|field| field.loc.join(".")).collect()
    }

    #[test]
    fn the_payload_is_the_very_bytes_that_were_posted() {
        for payload in [
            r#"{"b":1,"a":2,"b":3}"#,
            r#"{"x":1e400,"y":1234567890123456789012345678901234567890}"#,
            r#"{"x":"\u0000 \ud800 \/"}"#,
            "{ \"x\" :\n\t1 }",
        ] {
            let body =
                bytes::Bytes::from(format!("{{\"eventType\":\"a.b\", \"payload\" : {payload} ,\"new\":[]}}"));
            let input: MessageIn<'_> = parse(&body).unwrap();
            assert_eq!(input.check("tenant"), Ok(()));
            assert_eq!(body.slice_ref(input.payload.get().as_bytes()), payload.as_bytes());
        }
    }

    #[test]
    fn what_would_be_ignored_to_harm_is_refused() {
        let with = |more: &str| format!(r#"{{"eventType":"a.b","payload":{{}},{more}}}"#);
        assert_eq!(refused_fields(&with(r#""deliverAt":"2030-01-01T00:00:00Z""#)), ["body.deliverAt"]);
        let raw = with(r#""transformationsParams":{"rawPayload":"x"}"#);
        assert_eq!(refused_fields(&raw), ["body.transformationsParams"]);
        let harmless = with(r#""transformationsParams":{"a":1},"payloadRetentionPeriod":90"#);
        assert_eq!(parse::<MessageIn<'_>>(harmless.as_bytes()).unwrap().check("tenant"), Ok(()));
    }

    #[test]
    fn fields_are_refused_by_name() {
        assert_eq!(refused_fields(r#"{"eventType":"a.b"}"#), ["body.payload"]);
        assert_eq!(refused_fields(r#"{"eventType":"a.b","payload":[]}"#), ["body.payload"]);
        assert_eq!(
            refused_fields(r#"{"eventType":"a b","eventId":"msg_1","tags":["a,b"],"payload":{}}"#),
            ["body.eventType", "body.eventId", "body.tags"]
        );
        let other = r#"{"eventType":"a","payload":{},"application":{"name":"x","uid":"another"}}"#;
        assert_eq!(refused_fields(other), ["body.application.uid"]);
    }
}
