//! Sending an endpoint an example of an event type, so that a tenant sees what will come.

use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::JsonBody;
use crate::api::conventions::validate::Findings;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::message::{MessageOut, record_of, refused, wrong_payload};
use crate::api::resource::path::EndpointPath;
use crate::api::state::SharedState;
use crate::domain::event_type::schema_example::example_payload;
use crate::domain::id::EnvironmentId;
use crate::ingest::{Accepted, NewMessage};

/// Examples of event types that client libraries know without a catalogue.
const BUILT_IN: [(&str, &str); 1] = [("svix.ping", r#"{"success":true}"#)];

/// Which example to send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExampleIn {
    /// An event type of the catalogue, or `svix.ping`, which always has an example.
    #[schema(min_length = 1, max_length = 256, pattern = "^[a-zA-Z0-9\\-_.]+$", example = "invoice.paid")]
    event_type: String,
    /// Which one, where the schema has several examples; the first when absent.
    #[schema(maximum = 100_000)]
    example_index: Option<u32>,
    /// This payload instead of the schema's example.
    #[schema(value_type = Option<Object>)]
    payload: Option<Box<RawValue>>,
}

/// Send an endpoint an example of an event type.
///
/// It goes to this endpoint alone, whatever that listens to, and like any other message: signed, retried, listed. Its
/// payload is the example in the event type's schema, or one that is made up to the schema's shape.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/send-example",
    operation_id = "v1.endpoint.send-example", tag = "endpoint",
    params(EndpointPath),
    request_body = ExampleIn,
    responses((status = 202, description = "Stored, and on its way.", body = MessageOut))
)]
async fn send(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
    JsonBody(input): JsonBody<ExampleIn>,
) -> Result<(StatusCode, Json<MessageOut>), ApiError> {
    let environment = caller.environment()?;
    let payload = payload(&state, environment, &input).await?;
    let message = NewMessage {
        event_type: input.event_type,
        event_id: None,
        channels: Vec::new(),
        tags: Vec::new(),
        payload,
        headers: HeaderMap::new(),
        payload_hours: None,
        only: Some(path.endpoint),
        idempotency: None,
    };
    match state.ingest.accept(environment, &path.application.to_string(), &message).await.map_err(refused)? {
        Accepted::Stored(message) => {
            Ok((StatusCode::ACCEPTED, Json(MessageOut::of(record_of(&message, true))?)))
        }
        // It has no key of its own, so nothing came before it.
        Accepted::Repeated(_) => Err(ApiError::Internal),
    }
}

async fn payload(
    state: &SharedState,
    environment: &EnvironmentId,
    input: &ExampleIn,
) -> Result<Bytes, ApiError> {
    let mut findings = Findings::of_body();
    findings.event_type("eventType", &input.event_type);
    if let Some(payload) = &input.payload {
        findings.note("payload", wrong_payload(payload.get().as_bytes()));
        findings.finish()?;
        return Ok(Bytes::copy_from_slice(payload.get().as_bytes()));
    }
    findings.finish()?;
    let index = usize::try_from(input.example_index.unwrap_or(0)).unwrap_or(usize::MAX);
    example_of(state, environment, &input.event_type, index).await
}

/// The example that an event type of the catalogue has at `index`, or one that is made up.
pub(in crate::api::resource) async fn example_of(
    state: &SharedState,
    environment: &EnvironmentId,
    event_type: &str,
    index: usize,
) -> Result<Bytes, ApiError> {
    let refused = |msg| ApiError::invalid(&["body", "eventType"], msg, "value_error");
    let known = state.configuration.event_type(environment, event_type).await?;
    if let (None, Some((_, payload))) = (&known, BUILT_IN.iter().find(|(name, _)| *name == event_type)) {
        return Ok(Bytes::from_static(payload.as_bytes()));
    }
    let known = known.ok_or_else(|| refused("there is no such event type"))?;
    let schemas = known.settings.schemas.ok_or_else(|| refused("has no schema to make an example of"))?;
    let schemas: Value = serde_json::from_str(schemas.get()).map_err(|_| ApiError::Internal)?;
    let example = example_payload(&schemas, index);
    let example =
        example.ok_or_else(|| refused("has no such example in its schema, and none can be made of it"))?;
    serde_json::to_vec(&example).map(Bytes::from).map_err(|_| ApiError::Internal)
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(send))
}
