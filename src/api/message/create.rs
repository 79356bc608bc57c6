//! Posting a message. The payload's bytes go through untouched, from the socket to the receiver.

use axum::Json;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::id::{EnvironmentId, MessageId};
use crate::domain::message::SharedMessage;
use crate::domain::reference::Reference;
use crate::ingest::{Accepted, IngestError, NewMessage};
use crate::store::{Content, MessageRecord};

use super::super::application::{ApplicationIn, create_unless_there};
use super::super::auth::Caller;
use super::super::docs::BodyErrors;
use super::super::error::ApiError;
use super::super::extract::{ApiPath, ApiQuery, RawBody, parse};
use super::super::idempotency::{MESSAGE_PATH, REUSED, hashed, key_in};
use super::super::state::{ApiState, SharedState};
use super::super::validate::Findings;
use super::MessageOut;
use super::payload::wrong_payload;

const MAX_CHANNELS: usize = 5;
const MAX_TAGS: usize = 5;
const MAX_RETENTION_DAYS: u32 = 3_650;

/// A message to send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageIn<'a> {
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
    application: Option<ApplicationIn>,
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

/// How to answer.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CreateQuery {
    /// Whether the answer repeats the payload.
    #[param(default = true)]
    with_content: Option<bool>,
}

impl MessageIn<'_> {
    fn check(&self, app_id: &str) -> Result<(), ApiError> {
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
        if let Some(application) = &self.application {
            findings = findings.below("application");
            application.check(&mut findings);
            if application.uid.as_deref().is_some_and(|uid| uid != app_id) {
                findings.add("uid", "must be the `uid` in the path");
            }
        }
        findings.finish()
    }
}

impl MessageIn<'_> {
    /// For how long the payload is to be kept.
    fn payload_hours(&self) -> Option<u32> {
        self.payload_retention_hours.or(self.payload_retention_period.map(|days| days * 24))
    }
}

fn given(list: Option<Vec<String>>) -> Vec<String> {
    list.unwrap_or_default()
}

/// Post a message. It is stored with all of its deliveries when the answer comes.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/msg", operation_id = "v1.message.create", tag = "message",
    params(
        ("app_id" = String, Path, description = "The application's id or `uid`."),
        CreateQuery,
        ("idempotency-key" = Option<String>, Header, description = "Repeats are answered as at first.")
    ),
    request_body = MessageIn,
    responses((status = 202, description = "Stored.", body = MessageOut), BodyErrors)
)]
async fn create(
    State(state): State<SharedState>,
    caller: Caller,
    ApiPath(app_id): ApiPath<String>,
    ApiQuery(query): ApiQuery<CreateQuery>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<(StatusCode, Json<MessageOut>), ApiError> {
    let environment = caller.whole_environment()?;
    let input: MessageIn<'_> = parse(&body)?;
    input.check(&app_id)?;
    let path = MESSAGE_PATH.replace("{app_id}", &app_id);
    let idempotency = key_in(&headers)?.map(|key| hashed(&caller, &path, key, &body));
    let payload = body.slice_ref(input.payload.get().as_bytes());
    let payload_hours = input.payload_hours();
    let message = NewMessage {
        event_type: input.event_type,
        event_id: input.event_id,
        channels: given(input.channels),
        tags: given(input.tags),
        payload,
        payload_hours,
        only: None,
        idempotency,
    };
    let accepted = match (state.ingest.accept(environment, &app_id, message.clone()).await, input.application)
    {
        (Err(IngestError::UnknownApplication), Some(application)) => {
            create_unless_there(&state, &caller, &app_id, application).await?;
            state.ingest.accept(environment, &app_id, message).await
        }
        (accepted, _) => accepted,
    };
    let with_content = query.with_content.unwrap_or(true);
    let record = match accepted.map_err(refused)? {
        Accepted::Stored(message) => record_of(&message, with_content),
        Accepted::Repeated(id) => earlier(&state, environment, &app_id, id, with_content).await?,
    };
    Ok((StatusCode::ACCEPTED, Json(MessageOut::of(record)?)))
}

fn refused(error: IngestError) -> ApiError {
    match error {
        IngestError::UnknownApplication => ApiError::NotFound,
        IngestError::EventIdTaken => ApiError::Conflict {
            code: "event_id_taken",
            detail: "A message with that eventId was posted before.",
        },
        IngestError::IdempotencyKeyReused => REUSED,
        IngestError::Overloaded => ApiError::Overloaded(1),
        IngestError::Unavailable => ApiError::Unavailable,
    }
}

fn record_of(message: &SharedMessage, with_content: bool) -> MessageRecord {
    MessageRecord {
        id: message.id,
        event_type: message.event_type.clone(),
        event_id: message.event_id.clone(),
        channels: message.channels.clone(),
        tags: message.tags.clone(),
        content: with_content.then(|| Content::Kept(message.payload.to_vec())),
    }
}

/// The message that the same request made before.
async fn earlier(
    state: &ApiState,
    environment: &EnvironmentId,
    app_id: &str,
    id: MessageId,
    with_content: bool,
) -> Result<MessageRecord, ApiError> {
    let reference = Reference::parse(app_id);
    let application = state.store.application_id(environment, &reference).await?.ok_or(ApiError::NotFound)?;
    let record = state.store.message(application, &Reference::Id(id), with_content).await?;
    record.ok_or(ApiError::NotFound)
}

/// The routes of this part.
pub fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(create))
}

#[cfg(test)]
mod tests {
    use super::*;

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
