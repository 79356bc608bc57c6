//! Endpoints: where a tenant's messages go.

pub mod cap;
pub mod check;
mod example;
pub mod headers;
mod replay;
pub mod secret;
pub mod shape;
mod stats;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::error::ApiError;
use crate::api::conventions::extract::{ApiQuery, JsonBody};
use crate::api::conventions::page::{ListOut, Ordering, PageQuery};
use crate::api::conventions::validate::Findings;
use crate::api::credential::Caller;
use crate::api::openapi::errors::Conflict;
use crate::api::resource::path::{ApplicationPath, EndpointName, EndpointPath};
use crate::api::state::{ApiState, SharedState};
use crate::domain::access::actor::Actor;
use crate::domain::endpoint::secret::SigningSecret;
use crate::domain::id::reference::Reference;
use crate::domain::id::{ApplicationId, EndpointId};

use check::{Rules, check_input, check_patch};
use shape::{EndpointIn, EndpointOut, EndpointPatch};

/// List the endpoints of an application.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint", operation_id = "v1.endpoint.list", tag = "endpoint",
    params(ApplicationPath, PageQuery),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<EndpointOut>))
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<ListOut<EndpointOut>>, ApiError> {
    page_of(&state, &caller, path.application, &query).await
}

/// A page of an application's endpoints.
pub(in crate::api) async fn page_of(
    state: &ApiState,
    caller: &Caller,
    application: ApplicationId,
    query: &PageQuery,
) -> Result<Json<ListOut<EndpointOut>>, ApiError> {
    let page = query.request::<EndpointId>(Ordering::Descending)?;
    let found = state.configuration.endpoints(application, state.intake.page_bytes, &page.scan).await?;
    Ok(Json(page.answer(found, |row| row.id.to_string(), |row| EndpointOut::from(row).shown_to(caller))))
}

/// Create an endpoint.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/endpoint", operation_id = "v1.endpoint.create", tag = "endpoint",
    params(ApplicationPath),
    request_body = EndpointIn,
    responses((status = 201, description = "Created.", body = EndpointOut))
)]
async fn create(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
    JsonBody(mut input): JsonBody<EndpointIn>,
) -> Result<(StatusCode, Json<EndpointOut>), ApiError> {
    check_input(&mut input, &Rules::of(&state, &caller))?;
    let record = create_from(&state, caller.actor(), path.application, input).await?;
    Ok((StatusCode::CREATED, Json(record)))
}

/// Creates an endpoint of what was checked.
pub(in crate::api) async fn create_from(
    state: &ApiState,
    actor: &Actor,
    application: ApplicationId,
    input: EndpointIn,
) -> Result<EndpointOut, ApiError> {
    state.endpoint_caps.admit(&state.configuration, &state.caps, actor, application).await?;
    let settings = input.settings();
    let secret = match input.secret.as_deref().map(SigningSecret::parse) {
        Some(Ok(secret)) => secret,
        // It was checked before.
        Some(Err(wrong)) => {
            return Err(ApiError::invalid(&["body", "secret"], wrong.to_string(), "value_error"));
        }
        None => SigningSecret::generate(),
    };
    let headers = input.headers.unwrap_or_default();
    Ok(state.configuration.create_endpoint(actor, application, &settings, &secret, &headers).await?.into())
}

/// Get an endpoint.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}", operation_id = "v1.endpoint.get",
    tag = "endpoint",
    params(EndpointPath),
    responses((status = 200, description = "The endpoint.", body = EndpointOut))
)]
async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
) -> Result<Json<EndpointOut>, ApiError> {
    let record = state.configuration.endpoint(path.application, path.endpoint).await?;
    record.map(|record| Json(EndpointOut::from(record).shown_to(&caller))).ok_or(ApiError::NotFound)
}

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
async fn update(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointName,
    JsonBody(input): JsonBody<EndpointIn>,
) -> Result<(StatusCode, Json<EndpointOut>), ApiError> {
    put_to(&state, &caller, path.application, path.name, input).await
}

/// Replaces the endpoint of that name, or creates it.
pub(in crate::api) async fn put_to(
    state: &ApiState,
    caller: &Caller,
    application: ApplicationId,
    name: Reference<EndpointId>,
    mut input: EndpointIn,
) -> Result<(StatusCode, Json<EndpointOut>), ApiError> {
    check_input(&mut input, &Rules::of(state, caller))?;
    let actor = caller.actor();
    if input.uid.is_none() {
        input.uid = name.uid().map(str::to_owned);
    }
    if let Some(endpoint) = state.configuration.endpoint_id(application, &name).await? {
        refuse_parts_of_new_ones(&input)?;
        let settings = input.settings();
        let changed =
            state.configuration.change_endpoint(actor, application, endpoint, |s| *s = settings).await?;
        return changed.map(|record| (StatusCode::OK, Json(record.into()))).ok_or(ApiError::NotFound);
    }
    let mut findings = Findings::of_path();
    let Reference::Uid(uid) = name else { return Err(ApiError::NotFound) };
    findings.uid("endpoint_id", Some(&uid));
    findings.finish()?;
    let record = create_from(state, actor, application, input).await?;
    Ok((StatusCode::CREATED, Json(record)))
}

fn refuse_parts_of_new_ones(input: &EndpointIn) -> Result<(), ApiError> {
    let mut findings = Findings::of_body();
    if input.secret.is_some() {
        findings.add("secret", "the endpoint has one already; rotate it");
    }
    if input.headers.is_some() {
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
async fn patch(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
    JsonBody(mut input): JsonBody<EndpointPatch>,
) -> Result<Json<EndpointOut>, ApiError> {
    check_patch(&mut input, &Rules::of(&state, &caller))?;
    let changed = state
        .configuration
        .change_endpoint(caller.actor(), path.application, path.endpoint, |s| input.apply(s))
        .await?;
    changed.map(|record| Json(record.into())).ok_or(ApiError::NotFound)
}

/// Delete an endpoint. What it still waits for becomes dead letters.
#[utoipa::path(
    delete, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}", operation_id = "v1.endpoint.delete",
    tag = "endpoint",
    params(EndpointPath),
    responses((status = 204, description = "Deleted."))
)]
async fn delete(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
) -> Result<StatusCode, ApiError> {
    if state.configuration.delete_endpoint(caller.actor(), path.application, path.endpoint).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound)
    }
}

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, patch, delete))
        .merge(secret::routes())
        .merge(headers::routes())
        .merge(replay::routes())
        .merge(example::routes())
        .merge(stats::routes())
}
