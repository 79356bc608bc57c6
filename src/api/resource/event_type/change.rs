//! Replacing, changing, archiving and deleting an event type.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::conventions::extract::{ApiQuery, JsonBody};
use crate::api::conventions::validate::Findings;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::openapi::errors::Conflict;
use crate::api::state::SharedState;
use crate::domain::event_type::settings::EventTypeSettings;

use super::path::EventTypePath;
use super::shape::{EventTypeOut, EventTypePatch, EventTypeUpdate};

/// How to delete an event type.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DeleteQuery {
    /// For good, instead of archiving it.
    #[param(default = false)]
    expunge: Option<bool>,
}

/// Replace an event type, or create it.
#[utoipa::path(
    put, path = "/api/v1/event-type/{event_type_name}", operation_id = "v1.event-type.update",
    tag = "event-type",
    params(EventTypePath),
    request_body = EventTypeUpdate,
    responses(
        (status = 200, description = "Replaced.", body = EventTypeOut),
        (status = 201, description = "Created.", body = EventTypeOut),
        Conflict
    )
)]
pub(super) async fn update(
    State(state): State<SharedState>,
    caller: Caller,
    path: EventTypePath,
    JsonBody(input): JsonBody<EventTypeUpdate>,
) -> Result<(StatusCode, Json<EventTypeOut>), ApiError> {
    let environment = caller.whole_environment()?;
    let settings = input.settings()?;
    let replacement = settings.clone();
    let changed = state
        .configuration
        .change_event_type(caller.actor(), environment, &path.name, |_| Ok::<_, ApiError>(replacement))
        .await?;
    if let Some(record) = changed {
        return Ok((StatusCode::OK, Json(record.into())));
    }
    let mut findings = Findings::of_path();
    findings.path_name("event_type_name", &path.name);
    findings.finish()?;
    let record =
        state.configuration.create_event_type(caller.actor(), environment, &path.name, &settings).await?;
    Ok((StatusCode::CREATED, Json(record.into())))
}

/// Change some of an event type.
#[utoipa::path(
    patch, path = "/api/v1/event-type/{event_type_name}", operation_id = "v1.event-type.patch",
    tag = "event-type",
    params(EventTypePath),
    request_body = EventTypePatch,
    responses((status = 200, description = "As it is now.", body = EventTypeOut))
)]
pub(super) async fn patch(
    State(state): State<SharedState>,
    caller: Caller,
    path: EventTypePath,
    JsonBody(input): JsonBody<EventTypePatch>,
) -> Result<Json<EventTypeOut>, ApiError> {
    let environment = caller.whole_environment()?;
    let changed = state
        .configuration
        .change_event_type(caller.actor(), environment, &path.name, |there| input.of(there))
        .await?;
    changed.map(|record| Json(record.into())).ok_or(ApiError::NoSuch("event type"))
}

/// Archive an event type, or delete it for good.
#[utoipa::path(
    delete, path = "/api/v1/event-type/{event_type_name}", operation_id = "v1.event-type.delete",
    tag = "event-type",
    params(EventTypePath, DeleteQuery),
    responses((status = 204, description = "Archived, or deleted."))
)]
pub(super) async fn delete(
    State(state): State<SharedState>,
    caller: Caller,
    path: EventTypePath,
    ApiQuery(query): ApiQuery<DeleteQuery>,
) -> Result<StatusCode, ApiError> {
    let environment = caller.whole_environment()?;
    let found = if query.expunge.unwrap_or(false) {
        state.configuration.expunge_event_type(caller.actor(), environment, &path.name).await?
    } else {
        let archive = |there: &EventTypeSettings| {
            Ok::<_, ApiError>(EventTypeSettings { archived: true, ..there.clone() })
        };
        state
            .configuration
            .change_event_type(caller.actor(), environment, &path.name, archive)
            .await?
            .is_some()
    };
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::NoSuch("event type")) }
}
