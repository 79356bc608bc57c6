//! Operational webhooks: endpoints of an environment's own, which are told what becomes of its tenants' endpoints and
//! deliveries. They are signed, retried and kept as dead letters like any other.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::error::ApiError;
use crate::api::conventions::extract::{ApiPath, ApiQuery, JsonBody, RawBody};
use crate::api::conventions::page::{ListOut, PageQuery};
use crate::api::credential::Caller;
use crate::api::openapi::docs::{BodyErrors, Errors};
use crate::api::state::{ApiState, SharedState};
use crate::domain::id::reference::Reference;
use crate::domain::id::{ApplicationId, EndpointId};

use super::endpoint::check::{Rules, check_input};
use super::endpoint::headers::{EndpointHeadersIn, EndpointHeadersOut};
use super::endpoint::secret::{EndpointSecretOut, EndpointSecretRotateIn};
use super::endpoint::shape::{EndpointIn, EndpointOut};
use super::endpoint::{create_from, headers, page_of, put_to, secret};

/// The hidden application, made when it is first needed.
async fn made(state: &ApiState, caller: &Caller) -> Result<ApplicationId, ApiError> {
    let environment = caller.whole_environment()?;
    Ok(state.configuration.create_operational_application(caller.actor(), environment).await?)
}

/// The hidden application, if there is one; without one there is no endpoint.
async fn found(state: &ApiState, caller: &Caller) -> Result<ApplicationId, ApiError> {
    let found = state.configuration.operational_application(caller.whole_environment()?).await?;
    found.ok_or(ApiError::NotFound)
}

/// List the endpoints that get operational webhooks.
#[utoipa::path(
    get, path = "/api/v1/operational-webhook/endpoint", operation_id = "v1.operational-webhook.endpoint.list",
    tag = "operational webhook",
    params(PageQuery),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<EndpointOut>), Errors)
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<ListOut<EndpointOut>>, ApiError> {
    // Without the hidden application, that of nobody has as few endpoints.
    let application = state.configuration.operational_application(caller.whole_environment()?).await?;
    page_of(&state, &caller, application.unwrap_or_else(|| ApplicationId::from(uuid::Uuid::nil())), &query)
        .await
}

/// Create an endpoint that gets operational webhooks.
///
/// Its event types are among `endpoint.created`, `endpoint.updated`, `endpoint.deleted`, `endpoint.disabled`,
/// `message.attempt.failing`, `message.attempt.exhausted`, `message.attempt.recovered` and `dead_letter.created`. What
/// can happen in masses is told once for each endpoint and window, with a `count`.
#[utoipa::path(
    post, path = "/api/v1/operational-webhook/endpoint", operation_id = "v1.operational-webhook.endpoint.create",
    tag = "operational webhook",
    params(("idempotency-key" = Option<String>, Header, description = "Repeats are answered as at first.")),
    request_body = EndpointIn,
    responses((status = 201, description = "Created.", body = EndpointOut), BodyErrors)
)]
async fn create(
    State(state): State<SharedState>,
    caller: Caller,
    JsonBody(mut input): JsonBody<EndpointIn>,
) -> Result<(StatusCode, Json<EndpointOut>), ApiError> {
    caller.whole_environment()?;
    check_input(&mut input, &Rules::of(&state, &caller))?;
    let application = made(&state, &caller).await?;
    let record = create_from(&state, caller.actor(), application, input).await?;
    Ok((StatusCode::CREATED, Json(record)))
}

/// Get an endpoint that gets operational webhooks.
#[utoipa::path(
    get, path = "/api/v1/operational-webhook/endpoint/{endpoint_id}",
    operation_id = "v1.operational-webhook.endpoint.get", tag = "operational webhook",
    params(("endpoint_id" = String, Path, description = "The endpoint's id or `uid`.")),
    responses((status = 200, description = "The endpoint.", body = EndpointOut), Errors)
)]
async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    ApiPath(endpoint_id): ApiPath<String>,
) -> Result<Json<EndpointOut>, ApiError> {
    let application = found(&state, &caller).await?;
    let record =
        state.configuration.endpoint(application, &Reference::<EndpointId>::parse(&endpoint_id)).await?;
    record.map(|record| Json(record.into())).ok_or(ApiError::NotFound)
}

/// Replace an endpoint that gets operational webhooks, or create it under the `uid` in the path.
#[utoipa::path(
    put, path = "/api/v1/operational-webhook/endpoint/{endpoint_id}",
    operation_id = "v1.operational-webhook.endpoint.update", tag = "operational webhook",
    params(("endpoint_id" = String, Path, description = "The endpoint's id or `uid`.")),
    request_body = EndpointIn,
    responses(
        (status = 200, description = "Replaced; its secret and its headers stay.", body = EndpointOut),
        (status = 201, description = "Created.", body = EndpointOut),
        BodyErrors
    )
)]
async fn update(
    State(state): State<SharedState>,
    caller: Caller,
    ApiPath(endpoint_id): ApiPath<String>,
    JsonBody(input): JsonBody<EndpointIn>,
) -> Result<(StatusCode, Json<EndpointOut>), ApiError> {
    let application = made(&state, &caller).await?;
    put_to(&state, &caller, application, &endpoint_id, input).await
}

/// Delete an endpoint that gets operational webhooks. What it still waits for becomes dead letters.
#[utoipa::path(
    delete, path = "/api/v1/operational-webhook/endpoint/{endpoint_id}",
    operation_id = "v1.operational-webhook.endpoint.delete", tag = "operational webhook",
    params(("endpoint_id" = String, Path, description = "The endpoint's id or `uid`.")),
    responses((status = 204, description = "Deleted."), Errors)
)]
async fn delete(
    State(state): State<SharedState>,
    caller: Caller,
    ApiPath(endpoint_id): ApiPath<String>,
) -> Result<StatusCode, ApiError> {
    let application = found(&state, &caller).await?;
    let reference = Reference::parse(&endpoint_id);
    if state.configuration.delete_endpoint(caller.actor(), application, &reference).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NotFound)
    }
}

/// Get the own headers of an endpoint that gets operational webhooks.
#[utoipa::path(
    get, path = "/api/v1/operational-webhook/endpoint/{endpoint_id}/headers",
    operation_id = "v1.operational-webhook.endpoint.get-headers", tag = "operational webhook",
    params(("endpoint_id" = String, Path, description = "The endpoint's id or `uid`.")),
    responses((status = 200, description = "The headers.", body = EndpointHeadersOut), Errors)
)]
async fn get_headers(
    State(state): State<SharedState>,
    caller: Caller,
    ApiPath(endpoint_id): ApiPath<String>,
) -> Result<Json<EndpointHeadersOut>, ApiError> {
    let application = found(&state, &caller).await?;
    headers::shown(&state, &caller, application, &endpoint_id).await
}

/// Set the own headers of an endpoint that gets operational webhooks.
#[utoipa::path(
    put, path = "/api/v1/operational-webhook/endpoint/{endpoint_id}/headers",
    operation_id = "v1.operational-webhook.endpoint.update-headers", tag = "operational webhook",
    params(("endpoint_id" = String, Path, description = "The endpoint's id or `uid`.")),
    request_body = EndpointHeadersIn,
    responses((status = 204, description = "Set."), BodyErrors)
)]
async fn update_headers(
    State(state): State<SharedState>,
    caller: Caller,
    ApiPath(endpoint_id): ApiPath<String>,
    JsonBody(input): JsonBody<EndpointHeadersIn>,
) -> Result<StatusCode, ApiError> {
    let application = found(&state, &caller).await?;
    headers::set(&state, caller.actor(), application, &endpoint_id, input).await
}

/// Get what verifies the operational webhooks of an endpoint.
#[utoipa::path(
    get, path = "/api/v1/operational-webhook/endpoint/{endpoint_id}/secret",
    operation_id = "v1.operational-webhook.endpoint.get-secret", tag = "operational webhook",
    params(("endpoint_id" = String, Path, description = "The endpoint's id or `uid`.")),
    responses((status = 200, description = "The current key.", body = EndpointSecretOut), Errors)
)]
async fn get_secret(
    State(state): State<SharedState>,
    caller: Caller,
    ApiPath(endpoint_id): ApiPath<String>,
) -> Result<Json<EndpointSecretOut>, ApiError> {
    let application = found(&state, &caller).await?;
    secret::shown(&state, application, &endpoint_id).await
}

/// Put a new secret in place of the current one, which signs along for a while.
#[utoipa::path(
    post, path = "/api/v1/operational-webhook/endpoint/{endpoint_id}/secret/rotate",
    operation_id = "v1.operational-webhook.endpoint.rotate-secret", tag = "operational webhook",
    params(
        ("endpoint_id" = String, Path, description = "The endpoint's id or `uid`."),
        ("idempotency-key" = Option<String>, Header, description = "Repeats are answered as at first.")
    ),
    request_body(content = Option<EndpointSecretRotateIn>, description = "May be left out."),
    responses((status = 200, description = "The new key.", body = EndpointSecretOut), BodyErrors)
)]
async fn rotate_secret(
    State(state): State<SharedState>,
    caller: Caller,
    ApiPath(endpoint_id): ApiPath<String>,
    RawBody(body): RawBody,
) -> Result<Json<EndpointSecretOut>, ApiError> {
    let application = found(&state, &caller).await?;
    secret::renew(&state, caller.actor(), application, &endpoint_id, &body).await
}

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(get_headers, update_headers))
        .routes(routes!(get_secret))
        .routes(routes!(rotate_secret))
}
