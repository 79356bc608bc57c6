//! Posting a message. The payload's bytes go through untouched, from the socket to the receiver.

use axum::Json;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::{ApiQuery, RawBody, parse};
use crate::api::conventions::idempotency::{MESSAGE_PATH, REUSED, hashed, key_in};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::application::create_unless_there;
use crate::api::resource::path::ApplicationName;
use crate::api::state::{ApiState, SharedState};
use crate::domain::id::reference::Reference;
use crate::domain::id::{EnvironmentId, MessageId};
use crate::domain::message::SharedMessage;
use crate::ingest::{Accepted, IngestError};
use crate::store::{Content, MessageRecord};

use super::MessageOut;
use super::input::MessageIn;

/// How to answer.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CreateQuery {
    /// Whether the answer repeats the payload.
    #[param(default = true)]
    with_content: Option<bool>,
}

/// Post a message. It is stored with all of its deliveries when the answer comes.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/msg", operation_id = "v1.message.create", tag = "message",
    params(ApplicationName, CreateQuery),
    request_body = MessageIn,
    responses((status = 202, description = "Stored.", body = MessageOut))
)]
async fn create(
    State(state): State<SharedState>,
    caller: Caller,
    ApplicationName { name: app_id }: ApplicationName,
    ApiQuery(query): ApiQuery<CreateQuery>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<(StatusCode, Json<MessageOut>), ApiError> {
    let environment = caller.whole_environment()?;
    let mut input: MessageIn<'_> = parse(&body)?;
    input.check(&app_id)?;
    let path = MESSAGE_PATH.replace("{app_id}", &app_id);
    let idempotency = key_in(&headers)?.map(|key| hashed(&caller, &path, None, key, &body));
    let application = input.application.take();
    let message = input.message(&body, idempotency);
    let accepted = match (state.ingest.accept(environment, &app_id, &message).await, application) {
        (Err(IngestError::UnknownApplication), Some(application)) => {
            Box::pin(create_unless_there(&state, &caller, &app_id, application)).await?;
            Box::pin(state.ingest.accept(environment, &app_id, &message)).await
        }
        (accepted, _) => accepted,
    };
    let with_content = query.with_content.unwrap_or(true);
    let record = match accepted.map_err(refused)? {
        Accepted::Stored(message) => record_of(&message, with_content),
        Accepted::Repeated(id) => Box::pin(earlier(&state, environment, &app_id, id, with_content)).await?,
    };
    Ok((StatusCode::ACCEPTED, Json(MessageOut::of(record)?)))
}

/// An answer of ingest, as clients see it.
pub(in crate::api) fn refused(error: IngestError) -> ApiError {
    match error {
        IngestError::UnknownApplication => ApiError::NoSuch("application"),
        IngestError::EventIdTaken => ApiError::Conflict {
            code: "event_id_taken",
            detail: "A message with that eventId was posted before.",
        },
        IngestError::IdempotencyKeyReused => REUSED,
        IngestError::ValueRefused => {
            ApiError::invalid(&["body"], "has a value that the database cannot keep", "value_error")
        }
        IngestError::Overloaded => ApiError::Overloaded(1),
        IngestError::Unavailable => ApiError::Unavailable,
    }
}

/// A message that was stored just now.
pub(in crate::api) fn record_of(message: &SharedMessage, with_content: bool) -> MessageRecord {
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
pub(in crate::api::resource::message) async fn earlier(
    state: &ApiState,
    environment: &EnvironmentId,
    app_id: &str,
    id: MessageId,
    with_content: bool,
) -> Result<MessageRecord, ApiError> {
    let reference = Reference::parse(app_id);
    let application = state
        .configuration
        .application_id(environment, &reference)
        .await?
        .ok_or(ApiError::NoSuch("application"))?;
    let record = state.history.message(application, &Reference::Id(id), with_content).await?;
    record.ok_or(ApiError::NoSuch("message"))
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(create))
}
