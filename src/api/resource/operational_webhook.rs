//! Operational webhooks: endpoints of an environment's own, which are told what becomes of its tenants' endpoints and
//! deliveries. They are signed, retried and kept as dead letters like any other.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::asked::AskedQuery;
use crate::api::conventions::extract::{ApiQuery, JsonBody, OptionalJsonBody};
use crate::api::conventions::page::{ListOut, PageQuery};
use crate::api::conventions::path::{PathObject, PathParameter, PathValues, path_extractors};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::intake::content_page::ContentPage;
use crate::api::openapi::errors::Conflict;
use crate::api::state::{ApiState, SharedState};
use crate::domain::id::reference::Reference;
use crate::domain::id::{ApplicationId, EndpointId};

use super::endpoint::headers::{EndpointHeadersIn, EndpointHeadersOut};
use super::endpoint::secret::{EndpointSecretOut, EndpointSecretRotateIn};
use super::endpoint::shape::{EndpointIn, EndpointOut};
use super::endpoint::{Rules, create_from, headers, page_of, replace_or_create, secret};
use super::path::{ENDPOINT, named_endpoint};

/// The hidden application, made when it is first needed.
async fn made(state: &ApiState, caller: &Caller) -> Result<ApplicationId, ApiError> {
    let environment = caller.whole_environment()?;
    Ok(state.configuration.create_operational_application(caller.actor(), environment).await?)
}

/// An endpoint of the hidden application. Without the application there is no endpoint.
struct OperationalEndpointPath {
    application: ApplicationId,
    endpoint: EndpointId,
}

impl PathObject for OperationalEndpointPath {
    const PARAMETERS: &[PathParameter] = &[ENDPOINT];

    async fn find(values: &PathValues, caller: &Caller, state: &ApiState) -> Result<Self, ApiError> {
        let found = state.configuration.operational_application(caller.whole_environment()?).await?;
        let application = found.ok_or(ApiError::NoSuch("endpoint"))?;
        let endpoint = named_endpoint(state, application, &values.reference(&ENDPOINT)?).await?;
        Ok(Self { application, endpoint })
    }
}

/// What an endpoint of the hidden application is called that may have to be created.
struct OperationalEndpointName {
    name: Reference<EndpointId>,
}

impl PathObject for OperationalEndpointName {
    const PARAMETERS: &[PathParameter] = &[ENDPOINT];

    async fn find(values: &PathValues, _: &Caller, _: &ApiState) -> Result<Self, ApiError> {
        Ok(Self { name: values.reference(&ENDPOINT)? })
    }
}

path_extractors!(OperationalEndpointPath, OperationalEndpointName);

/// List the endpoints that get operational webhooks.
#[utoipa::path(
    get, path = "/api/v1/operational-webhook/endpoint",
    operation_id = "v1.operational-webhook.endpoint.list", tag = "operational webhook",
    params(PageQuery),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<EndpointOut>))
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<ContentPage, ApiError> {
    // Without the hidden application, that of nobody has as few endpoints.
    let application = state.configuration.operational_application(caller.whole_environment()?).await?;
    let application = application.unwrap_or_else(|| ApplicationId::from(uuid::Uuid::nil()));
    page_of(&state, &caller, application, &query, &AskedQuery::default()).await
}

/// Create an endpoint that gets operational webhooks.
///
/// Its event types are among `endpoint.created`, `endpoint.updated`, `endpoint.deleted`, `endpoint.disabled`,
/// `message.attempt.failing`, `message.attempt.exhausted`, `message.attempt.recovered` and `dead_letter.created`. What
/// can happen in masses is told once for each endpoint and window, with a `count`. With an alert channel of the kind
/// `operational`, there are `alert.fired`, `alert.recovered` and `alert.test` besides.
#[utoipa::path(
    post, path = "/api/v1/operational-webhook/endpoint",
    operation_id = "v1.operational-webhook.endpoint.create", tag = "operational webhook",
    request_body = EndpointIn,
    responses((status = 201, description = "Created.", body = EndpointOut))
)]
async fn create(
    State(state): State<SharedState>,
    caller: Caller,
    JsonBody(input): JsonBody<EndpointIn>,
) -> Result<(StatusCode, Json<EndpointOut>), ApiError> {
    caller.whole_environment()?;
    let new = input.read(&Rules::of(&state, &caller))?;
    let application = made(&state, &caller).await?;
    let record = create_from(&state, caller.actor(), application, new).await?;
    Ok((StatusCode::CREATED, Json(record)))
}

/// Get an endpoint that gets operational webhooks.
#[utoipa::path(
    get, path = "/api/v1/operational-webhook/endpoint/{endpoint_id}",
    operation_id = "v1.operational-webhook.endpoint.get", tag = "operational webhook",
    params(OperationalEndpointPath),
    responses((status = 200, description = "The endpoint.", body = EndpointOut))
)]
async fn get(
    State(state): State<SharedState>,
    path: OperationalEndpointPath,
) -> Result<Json<EndpointOut>, ApiError> {
    let record = state.configuration.endpoint(path.application, path.endpoint).await?;
    record.map(|record| Json(record.into())).ok_or(ApiError::NoSuch("endpoint"))
}

/// Replace an endpoint that gets operational webhooks, or create it under the `uid` in the path.
#[utoipa::path(
    put, path = "/api/v1/operational-webhook/endpoint/{endpoint_id}",
    operation_id = "v1.operational-webhook.endpoint.update", tag = "operational webhook",
    params(OperationalEndpointName),
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
    path: OperationalEndpointName,
    JsonBody(input): JsonBody<EndpointIn>,
) -> Result<(StatusCode, Json<EndpointOut>), ApiError> {
    let application = made(&state, &caller).await?;
    replace_or_create(&state, &caller, application, path.name, input).await
}

/// Delete an endpoint that gets operational webhooks. What it still waits for becomes dead letters.
#[utoipa::path(
    delete, path = "/api/v1/operational-webhook/endpoint/{endpoint_id}",
    operation_id = "v1.operational-webhook.endpoint.delete", tag = "operational webhook",
    params(OperationalEndpointPath),
    responses((status = 204, description = "Deleted."))
)]
async fn delete(
    State(state): State<SharedState>,
    caller: Caller,
    path: OperationalEndpointPath,
) -> Result<StatusCode, ApiError> {
    if state.configuration.delete_endpoint(caller.actor(), path.application, path.endpoint).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::NoSuch("endpoint"))
    }
}

/// Get the own headers of an endpoint that gets operational webhooks.
#[utoipa::path(
    get, path = "/api/v1/operational-webhook/endpoint/{endpoint_id}/headers",
    operation_id = "v1.operational-webhook.endpoint.get-headers", tag = "operational webhook",
    params(OperationalEndpointPath),
    responses((status = 200, description = "The headers.", body = EndpointHeadersOut))
)]
async fn get_headers(
    State(state): State<SharedState>,
    caller: Caller,
    path: OperationalEndpointPath,
) -> Result<Json<EndpointHeadersOut>, ApiError> {
    headers::shown(&state, &caller, path.application, path.endpoint).await
}

/// Set the own headers of an endpoint that gets operational webhooks.
#[utoipa::path(
    put, path = "/api/v1/operational-webhook/endpoint/{endpoint_id}/headers",
    operation_id = "v1.operational-webhook.endpoint.update-headers", tag = "operational webhook",
    params(OperationalEndpointPath),
    request_body = EndpointHeadersIn,
    responses((status = 204, description = "Set."))
)]
async fn update_headers(
    State(state): State<SharedState>,
    caller: Caller,
    path: OperationalEndpointPath,
    JsonBody(input): JsonBody<EndpointHeadersIn>,
) -> Result<StatusCode, ApiError> {
    headers::set(&state, caller.actor(), path.application, path.endpoint, input).await
}

/// Get what verifies the operational webhooks of an endpoint.
#[utoipa::path(
    get, path = "/api/v1/operational-webhook/endpoint/{endpoint_id}/secret",
    operation_id = "v1.operational-webhook.endpoint.get-secret", tag = "operational webhook",
    params(OperationalEndpointPath),
    responses((status = 200, description = "The current key.", body = EndpointSecretOut))
)]
async fn get_secret(
    State(state): State<SharedState>,
    path: OperationalEndpointPath,
) -> Result<Json<EndpointSecretOut>, ApiError> {
    secret::shown(&state, path.application, path.endpoint).await
}

/// Put a new secret in place of the current one, which signs along for a while.
#[utoipa::path(
    post, path = "/api/v1/operational-webhook/endpoint/{endpoint_id}/secret/rotate",
    operation_id = "v1.operational-webhook.endpoint.rotate-secret", tag = "operational webhook",
    params(OperationalEndpointPath),
    request_body(content = Option<EndpointSecretRotateIn>, description = "May be left out."),
    responses((status = 200, description = "The new key.", body = EndpointSecretOut))
)]
async fn rotate_secret(
    State(state): State<SharedState>,
    caller: Caller,
    path: OperationalEndpointPath,
    OptionalJsonBody(input): OptionalJsonBody<EndpointSecretRotateIn>,
) -> Result<Json<EndpointSecretOut>, ApiError> {
    secret::renew(&state, caller.actor(), path.application, path.endpoint, input.unwrap_or_default()).await
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(get_headers, update_headers))
        .routes(routes!(get_secret))
        .routes(routes!(rotate_secret))
}
