//! The API keys of an environment.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::api::conventions::extract::{ApiQuery, JsonBody};
use crate::api::conventions::page::{ListOut, PageQuery};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::openapi::errors::NotFound;
use crate::api::state::SharedState;

use super::operate;
use super::path::ApiKeyPath;
use super::shape::{ApiKeyIn, ApiKeyOut};

/// List the environment's API keys.
#[utoipa::path(
    get, path = "/api/v1/api-key", operation_id = "v1.api-key.list", tag = "API key",
    params(PageQuery),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<ApiKeyOut>))
)]
pub(super) async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<ListOut<ApiKeyOut>>, ApiError> {
    operate::list(&state, Some(caller.whole_environment()?), &query).await
}

/// Make an API key for the environment, or for one of its applications.
#[utoipa::path(
    post, path = "/api/v1/api-key", operation_id = "v1.api-key.create", tag = "API key",
    request_body = ApiKeyIn,
    responses((status = 201, description = "Made; the key is shown this once.", body = ApiKeyOut), NotFound)
)]
pub(super) async fn create(
    State(state): State<SharedState>,
    caller: Caller,
    JsonBody(input): JsonBody<ApiKeyIn>,
) -> Result<(StatusCode, Json<ApiKeyOut>), ApiError> {
    let environment = caller.whole_environment()?.clone();
    let role = input.check(false, state.authenticator.clock().now())?;
    operate::create(&state, &caller, role, Some(environment), input).await
}

/// Get one of the environment's API keys.
#[utoipa::path(
    get, path = "/api/v1/api-key/{key_id}", operation_id = "v1.api-key.get", tag = "API key",
    params(ApiKeyPath),
    responses((status = 200, description = "The key, without itself.", body = ApiKeyOut))
)]
pub(super) async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApiKeyPath,
) -> Result<Json<ApiKeyOut>, ApiError> {
    operate::get(&state, Some(caller.whole_environment()?), path.key).await
}

/// Revoke one of the environment's API keys.
#[utoipa::path(
    delete, path = "/api/v1/api-key/{key_id}", operation_id = "v1.api-key.revoke", tag = "API key",
    params(ApiKeyPath),
    responses((status = 204, description = "It holds no longer, on any node. It stays in the list."))
)]
pub(super) async fn revoke(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApiKeyPath,
) -> Result<StatusCode, ApiError> {
    operate::revoke(&state, &caller, Some(caller.whole_environment()?), path.key).await
}
