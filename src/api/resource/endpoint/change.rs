//! Replacing, changing and deleting an endpoint.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::api::conventions::extract::JsonBody;
use crate::api::conventions::validate::Findings;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::openapi::errors::Conflict;
use crate::api::resource::path::{EndpointName, EndpointPath};
use crate::api::state::{ApiState, SharedState};
use crate::domain::endpoint::settings::EndpointSettings;
use crate::domain::id::reference::Reference;
use crate::domain::id::{ApplicationId, EndpointId};

use super::check::{Rules, in_place_of};
use super::create::create_from;
use super::shape::{EndpointIn, EndpointOut, EndpointPatch, NewEndpoint};

/// Replace an endpoint, or create it under the `uid` in the path.
#[utoipa::path(
    put, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}", operation_id = "v1.endpoint.update",
    tag = "endpoint",
    params(EndpointName),
    request_body = EndpointIn,
    responses(
        (status = 200, description = "Replaced; its secret and its headers stay.", body = EndpointOut),
        (status = 201, description = "Created.", body = EndpointOut),
        Conflict
    )
)]
pub(super) async fn update(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointName,
    JsonBody(input): JsonBody<EndpointIn>,
) -> Result<(StatusCode, Json<EndpointOut>), ApiError> {
    replace_or_create(&state, &caller, path.application, path.name, input).await
}

/// Replaces the endpoint of that name, or creates it.
pub(in crate::api::resource) async fn replace_or_create(
    state: &ApiState,
    caller: &Caller,
    application: ApplicationId,
    name: Reference<EndpointId>,
    input: EndpointIn,
) -> Result<(StatusCode, Json<EndpointOut>), ApiError> {
    let mut new = input.read(&Rules::of(state, caller))?;
    let actor = caller.actor();
    if new.settings.uid.is_none() {
        new.settings.uid = name.uid().map(str::to_owned);
    }
    if let Some(endpoint) = state.configuration.endpoint_id(application, &name).await? {
        refuse_parts_of_new_ones(&new)?;
        let replace = |there: &EndpointSettings| in_place_of(new.settings, there);
        let changed = state.configuration.change_endpoint(actor, application, endpoint, replace).await?;
        return changed
            .map(|record| (StatusCode::OK, Json(record.into())))
            .ok_or(ApiError::NoSuch("endpoint"));
    }
    let mut findings = Findings::of_path();
    let Reference::Uid(uid) = name else { return Err(ApiError::NoSuch("endpoint")) };
    findings.uid("endpoint_id", Some(&uid), EndpointId::PREFIX);
    findings.finish()?;
    let record = create_from(state, actor, application, new).await?;
    Ok((StatusCode::CREATED, Json(record)))
}

fn refuse_parts_of_new_ones(new: &NewEndpoint) -> Result<(), ApiError> {
    let mut findings = Findings::of_body();
    if new.secret.is_some() {
        findings.add("secret", "the endpoint has one already; rotate it");
    }
    if new.headers.is_some() {
        findings.add("headers", "the endpoint has its own already; set them under `headers`");
    }
    findings.finish()
}

/// Change some of an endpoint.
#[utoipa::path(
    patch, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}", operation_id = "v1.endpoint.patch",
    tag = "endpoint",
    params(EndpointPath),
    request_body = EndpointPatch,
    responses((status = 200, description = "As it is now.", body = EndpointOut), Conflict)
)]
pub(super) async fn patch(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
    JsonBody(input): JsonBody<EndpointPatch>,
) -> Result<Json<EndpointOut>, ApiError> {
    let rules = Rules::of(&state, &caller);
    let changed = state
        .configuration
        .change_endpoint(caller.actor(), path.application, path.endpoint, |there| input.of(there, &rules))
        .await?;
    changed.map(|record| Json(record.into())).ok_or(ApiError::NoSuch("endpoint"))
}

/// Delete an endpoint. What it still waits for becomes dead letters.
#[utoipa::path(
    delete, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}", operation_id = "v1.endpoint.delete",
    tag = "endpoint",
    params(EndpointPath),
    responses((status = 204, description = "Deleted."))
)]
pub(super) async fn delete(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
) -> Result<StatusCode, ApiError> {
    if state.configuration.delete_endpoint(caller.actor(), path.application, path.endpoint).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NoSuch("endpoint"))
    }
}
