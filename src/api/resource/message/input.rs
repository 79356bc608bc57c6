//! A message as it is posted: what it may say, and what is wrong with it.

use bytes::Bytes;
use http::HeaderMap;
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::api::conventions::bounds::value_count::{MOST_VALUES, has_no_more_values};
use crate::api::conventions::validate::Findings;
use crate::api::error::ApiError;
use crate::api::resource::application::ApplicationIn;
use crate::domain::id::MessageId;
use crate::domain::message_headers::{self, InvalidMessageHeaders};
use crate::domain::nearest::nearest;
use crate::ingest::NewMessage;
use crate::store::IdempotencyKey;

use super::params::TransformationsParams;
use super::payload::wrong_payload;

pub(in crate::api::resource::message) const MAX_CHANNELS: usize = 5;
const MAX_TAGS: usize = 5;
/// What stands in paths where an `eventId` could: a path with such a one would be another operation's.
pub(in crate::api) const RESERVED_EVENT_IDS: [&str; 3] = ["batch", "bulk-expunge", "expunge-all-contents"];
const MAX_RETENTION_DAYS: u32 = 3_650;
/// A payload that is smaller than a connection's buffer, which is at least this large.
const MAX_COPIED_PAYLOAD_BYTES: usize = 8 * 1024;

/// A message to send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
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
    #[serde(default, deserialize_with = "bounded_application")]
    pub(in crate::api::resource::message) application: Option<ApplicationIn>,
    /// Not supported: a message is delivered at once.
    #[schema(ignore)]
    deliver_at: Option<IgnoredAny>,
    /// What else is sent with this message.
    transformations_params: Option<TransformationsParams>,
}

/// The application beside messages. Unlike them it is made into values, so it has no more of them than any other body.
///
/// # Errors
/// When it has more, or does not read.
pub(in crate::api::resource::message) fn bounded_application<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<ApplicationIn>, D::Error> {
    let Some(text) = Option::<&RawValue>::deserialize(deserializer)? else { return Ok(None) };
    if !has_no_more_values(text.get().as_bytes(), MOST_VALUES) {
        return Err(D::Error::custom(format!("may have {MOST_VALUES} values at most")));
    }
    serde_json::from_str(text.get()).map(Some).map_err(D::Error::custom)
}

impl MessageIn<'_> {
    /// Says what is wrong with it.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] with each field.
    pub(in crate::api::resource::message) fn check(&self, app_id: &str) -> Result<(), ApiError> {
        let mut findings = Findings::of_body();
        findings.event_type("eventType", &self.event_type);
        findings.uid("eventId", self.event_id.as_deref(), MessageId::PREFIX);
        if self.event_id.as_deref().is_some_and(|id| RESERVED_EVENT_IDS.contains(&id)) {
            findings.add("eventId", "is a part of the API's own paths: choose another");
        }
        findings.channels("channels", self.channels.as_deref().unwrap_or_default(), MAX_CHANNELS);
        findings.channels("tags", self.tags.as_deref().unwrap_or_default(), MAX_TAGS);
        findings.note("payload", wrong_payload(self.payload.get().as_bytes()));
        if self.deliver_at.is_some() {
            findings.add("deliverAt", "is not supported: a message is delivered at once");
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
        let mut findings = findings.finish().map(|()| Findings::of_body().below("transformationsParams"))?;
        self.check_params(&mut findings);
        findings.finish()?;
        self.application.as_ref().map_or(Ok(()), |application| application.check_created_at(app_id))
    }

    fn check_params(&self, findings: &mut Findings) {
        if let Some(text) = self.raw_payload() {
            if text.is_empty() {
                findings.add("rawPayload", "must not be empty");
            }
            if !is_empty_object(self.payload.get()) {
                findings.add("rawPayload", "is sent instead of the payload, which has to be `{}`");
            }
        }
        findings.note("headers", self.headers().err().map(|wrong| wrong.to_string()));
        // A slip in one of these would deliver something else than was meant.
        let mut others = self.transformations_params.iter().flat_map(|params| &params.others);
        let meant = |other: &String| nearest(other, ["rawPayload", "headers"].into_iter());
        if let Some((other, meant)) = others.find_map(|other| Some((other, meant(other)?))) {
            findings.add(other, format!("is not known; did you mean `{meant}`?"));
        }
    }

    fn raw_payload(&self) -> Option<&str> {
        self.transformations_params.as_ref()?.raw_payload.as_deref()
    }

    fn headers(&self) -> Result<HeaderMap, InvalidMessageHeaders> {
        let given = self.transformations_params.as_ref().and_then(|params| params.headers.as_ref());
        let pairs = given.into_iter().flatten();
        message_headers::parse(pairs.map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// The message that it asks for, whose payload is a part of `body`.
    pub(in crate::api::resource::message) fn message(
        self,
        body: &Bytes,
        idempotency: Option<IdempotencyKey>,
    ) -> NewMessage {
        NewMessage {
            payload: self.raw_payload().map_or_else(
                || kept(body, self.payload.get().as_bytes()),
                |text| Bytes::copy_from_slice(text.as_bytes()),
            ),
            headers: self.headers().unwrap_or_default(),
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

/// Whether there is nothing between the braces of an object.
fn is_empty_object(text: &str) -> bool {
    let inside = text.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inside.is_some_and(|inside| inside.trim().is_empty())
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
            let body = bytes::Bytes::from(format!(
                "{{\"eventType\":\"a.b\", \"payload\" : {payload} ,\"tags\":[]}}"
            ));
            let input: MessageIn<'_> = parse(&body).unwrap();
            assert_eq!(input.check("tenant"), Ok(()));
            assert_eq!(body.slice_ref(input.payload.get().as_bytes()), payload.as_bytes());
        }
    }

    #[test]
    fn what_would_be_ignored_to_harm_is_refused() {
        let with = |more: &str| format!(r#"{{"eventType":"a.b","payload":{{}},{more}}}"#);
        assert_eq!(refused_fields(&with(r#""deliverAt":"2030-01-01T00:00:00Z""#)), ["body.deliverAt"]);
        for (params, refused) in [
            (r#"{"rawPayload":""}"#, "rawPayload"),
            (r#"{"rawPayload":"x","headers":{"host":"elsewhere"}}"#, "headers"),
            (r#"{"headers":{"x-a":"line\nbreak"}}"#, "headers"),
            (r#"{"rawPaylod":"x"}"#, "rawPaylod"),
            (r#"{"raw_payload":"x"}"#, "raw_payload"),
        ] {
            let body = with(&format!(r#""transformationsParams":{params}"#));
            assert_eq!(refused_fields(&body), [format!("body.transformationsParams.{refused}")]);
        }
        for payload in [r#"{"a":1}"#, r#"{ "" : {} }"#] {
            let both = format!(
                r#"{{"eventType":"a","payload":{payload},"transformationsParams":{{"rawPayload":"x"}}}}"#
            );
            assert_eq!(refused_fields(&both), ["body.transformationsParams.rawPayload"]);
        }
        let blank =
            "{\"eventType\":\"a\",\"payload\": {\n\t } ,\"transformationsParams\":{\"rawPayload\":\"x\"}}";
        assert_eq!(parse::<MessageIn<'_>>(blank.as_bytes()).unwrap().check("tenant"), Ok(()));
        let harmless = with(r#""transformationsParams":{"a":1},"payloadRetentionPeriod":90"#);
        assert_eq!(parse::<MessageIn<'_>>(harmless.as_bytes()).unwrap().check("tenant"), Ok(()));
    }

    #[test]
    fn a_text_that_is_no_json_is_the_payload_with_its_content_type() {
        let body = Bytes::from(
            r#"{"eventType":"a","payload":{},"transformationsParams":{"rawPayload":"<a>\u00fc</a>","headers":{"Content-Type":"application/xml"}}}"#,
        );
        let input: MessageIn<'_> = parse(&body).unwrap();
        assert_eq!(input.check("tenant"), Ok(()));
        let message = input.message(&body, None);
        assert_eq!((&message.payload[..], message.headers.len()), ("<a>ü</a>".as_bytes(), 1));
    }

    #[test]
    fn what_stands_beside_the_payload_is_bounded() {
        let others = |count: usize| {
            let entries: Vec<String> = (0..count).map(|n| format!(r#""rawPayloa{n}":[{{}}]"#)).collect();
            format!(r#"{{"eventType":"a","payload":{{}},"transformationsParams":{{{}}}}}"#, entries.join(","))
        };
        assert_eq!(refused_fields(&others(64)), ["body.transformationsParams.rawPayloa0"], "the first alone");
        assert_eq!(refused_fields(&others(65)), ["body.transformationsParams"]);
        let twice = r#"{"eventType":"a","payload":{},"transformationsParams":{"headers":{},"headers":{}}}"#;
        assert_eq!(refused_fields(twice), ["body.transformationsParams"]);
        let application = |count: usize| {
            let values = vec![r#"{"":0}"#; count].join(",");
            format!(
                r#"{{"eventType":"a","payload":{{}},"application":{{"name":"x","metadata":[{values}]}}}}"#
            )
        };
        let said = |body: &str| match parse::<MessageIn<'_>>(body.as_bytes()) {
            Err(ApiError::Invalid(fields)) => fields[0].msg.clone(),
            read => panic!("{read:?}"),
        };
        assert_eq!(said(&application(20_000)), "may have 20000 values at most");
        let payload = format!(r#"{{"eventType":"a","payload":{{"a":[{}1]}}}}"#, "1,".repeat(30_000));
        assert_eq!(parse::<MessageIn<'_>>(payload.as_bytes()).unwrap().check("tenant"), Ok(()));
    }

    #[test]
    fn an_event_id_is_no_part_of_the_apis_own_paths() {
        for id in RESERVED_EVENT_IDS {
            let body = format!(r#"{{"eventType":"a","payload":{{}},"eventId":"{id}"}}"#);
            assert_eq!(refused_fields(&body), ["body.eventId"]);
        }
    }

    #[test]
    fn fields_are_refused_by_name() {
        assert_eq!(refused_fields(r#"{"eventType":"a.b"}"#), ["body.payload"]);
        assert_eq!(refused_fields(r#"{"eventType":"a.b","payload":[]}"#), ["body.payload"]);
        assert_eq!(
            refused_fields(r#"{"eventType":"a b","eventId":"msg_1","tags":["a,b"],"payload":{}}"#),
            ["body.eventType", "body.eventId", "body.tags"]
        );
        assert_eq!(refused_fields(r#"{"eventType":"a","payload":{},"evnetId":"x"}"#), ["body.evnetId"]);
        let other = r#"{"eventType":"a","payload":{},"application":{"name":"x","uid":"another"}}"#;
        assert_eq!(refused_fields(other), ["body.application.uid"]);
    }
}
