//! Replacing, changing and deleting an application.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::api::conventions::extract::JsonBody;
use crate::api::conventions::validate::Findings;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::openapi::errors::Conflict;
use crate::api::resource::path::{ApplicationName, ApplicationPath};
use crate::api::state::SharedState;
use crate::domain::id::ApplicationId;
use crate::domain::id::reference::Reference;

use super::shape::{ApplicationIn, ApplicationOut, ApplicationPatch};

/// Replace an application, or create it under the `uid` in the path.
#[utoipa::path(
    put, path = "/api/v1/app/{app_id}", operation_id = "v1.application.update", tag = "application",
    params(ApplicationName),
    request_body = ApplicationIn,
    responses(
        (status = 200, description = "Replaced.", body = ApplicationOut),
        (status = 201, description = "Created.", body = ApplicationOut),
        Conflict
    )
)]
pub(super) async fn update(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationName,
    JsonBody(input): JsonBody<ApplicationIn>,
) -> Result<(StatusCode, Json<ApplicationOut>), ApiError> {
    let environment = caller.whole_environment()?;
    let reference = Reference::parse(&path.name);
    let mut settings = input.settings()?;
    if settings.uid.is_none() {
        settings.uid = reference.uid().map(str::to_owned);
    }
    let replacement = settings.clone();
    let changed = state
        .configuration
        .change_application(caller.actor(), environment, &reference, |_| Ok::<_, ApiError>(replacement))
        .await?;
    if let Some(record) = changed {
        return Ok((StatusCode::OK, Json(record.into())));
    }
    let mut findings = Findings::of_path();
    let Reference::Uid(uid) = reference else { return Err(ApiError::NoSuch("application")) };
    findings.uid("app_id", Some(&uid), ApplicationId::PREFIX);
    findings.finish()?;
    let record = state.configuration.create_application(caller.actor(), environment, &settings).await?;
    Ok((StatusCode::CREATED, Json(record.into())))
}

/// Change some of an application.
#[utoipa::path(
    patch, path = "/api/v1/app/{app_id}", operation_id = "v1.application.patch", tag = "application",
    params(ApplicationPath),
    request_body = ApplicationPatch,
    responses((status = 200, description = "As it is now.", body = ApplicationOut), Conflict)
)]
pub(super) async fn patch(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
    JsonBody(input): JsonBody<ApplicationPatch>,
) -> Result<Json<ApplicationOut>, ApiError> {
    let environment = caller.whole_environment()?;
    let reference = Reference::Id(path.application);
    let changed = state
        .configuration
        .change_application(caller.actor(), environment, &reference, |there| input.of(there))
        .await?;
    changed.map(|record| Json(record.into())).ok_or(ApiError::NoSuch("application"))
}

/// Delete an application with its endpoints.
#[utoipa::path(
    delete, path = "/api/v1/app/{app_id}", operation_id = "v1.application.delete", tag = "application",
    params(ApplicationPath),
    responses((status = 204, description = "Deleted."))
)]
pub(super) async fn delete(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
) -> Result<StatusCode, ApiError> {
    caller.whole_environment()?;
    let id = path.application;
    if state.configuration.delete_application(caller.actor(), id).await? {
        state.credentials.forget_tokens(id);
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NoSuch("application"))
    }
}
