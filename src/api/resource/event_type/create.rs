//! Creating an event type.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::api::conventions::extract::JsonBody;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::SharedState;

use super::shape::{EventTypeIn, EventTypeOut};

/// Create an event type. An archived one comes back.
#[utoipa::path(
    post, path = "/api/v1/event-type", operation_id = "v1.event-type.create", tag = "event-type",
    request_body = EventTypeIn,
    responses((status = 201, description = "Created.", body = EventTypeOut))
)]
pub(super) async fn create(
    State(state): State<SharedState>,
    caller: Caller,
    JsonBody(input): JsonBody<EventTypeIn>,
) -> Result<(StatusCode, Json<EventTypeOut>), ApiError> {
    let environment = caller.whole_environment()?;
    let (name, settings) = input.read()?;
    let record = state.configuration.create_event_type(caller.actor(), environment, &name, &settings).await?;
    Ok((StatusCode::CREATED, Json(record.into())))
}
