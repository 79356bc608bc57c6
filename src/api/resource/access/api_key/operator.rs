//! The API keys of all environments, and those of operators.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::api::conventions::environment::{EnvironmentQuery, named_environment};
use crate::api::conventions::extract::{ApiQuery, JsonBody};
use crate::api::conventions::page::{ListOut, PageQuery};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::openapi::errors::NotFound;
use crate::api::state::SharedState;

use super::operate;
use super::path::ApiKeyPath;
use super::shape::{ApiKeyIn, ApiKeyOut};

/// List the API keys of all environments, operators' own among them.
#[utoipa::path(
    get, path = "/api/v1/admin/api-key", operation_id = "v1.admin.api-key.list", tag = "admin",
    params(PageQuery, EnvironmentQuery),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<ApiKeyOut>))
)]
pub(super) async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<PageQuery>,
    ApiQuery(of): ApiQuery<EnvironmentQuery>,
) -> Result<Json<ListOut<ApiKeyOut>>, ApiError> {
    operate::list(&state, of.chosen(&caller)?.as_ref(), &query).await
}

/// Make an API key for operators, for an environment, or for an application.
#[utoipa::path(
    post, path = "/api/v1/admin/api-key", operation_id = "v1.admin.api-key.create", tag = "admin",
    request_body = ApiKeyIn,
    responses((status = 201, description = "Made; the key is shown this once.", body = ApiKeyOut), NotFound)
)]
pub(super) async fn create(
    State(state): State<SharedState>,
    caller: Caller,
    JsonBody(input): JsonBody<ApiKeyIn>,
) -> Result<(StatusCode, Json<ApiKeyOut>), ApiError> {
    caller.operator()?;
    let role = input.check(true, state.authenticator.clock().now())?;
    let environment = input.environment_id.as_deref();
    let environment = environment.map(|text| named_environment("body", "environmentId", text)).transpose()?;
    if let Some(environment) = &environment {
        // As a token's, it is there from the first time that it is named.
        state.configuration.create_environment(caller.actor(), environment).await?;
    }
    operate::create(&state, &caller, role, environment, input).await
}

/// Get an API key of any environment.
#[utoipa::path(
    get, path = "/api/v1/admin/api-key/{key_id}", operation_id = "v1.admin.api-key.get", tag = "admin",
    params(ApiKeyPath),
    responses((status = 200, description = "The key, without itself.", body = ApiKeyOut))
)]
pub(super) async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApiKeyPath,
) -> Result<Json<ApiKeyOut>, ApiError> {
    operate::get(&state, caller.operator()?, path.key).await
}

/// Revoke an API key of any environment.
#[utoipa::path(
    delete, path = "/api/v1/admin/api-key/{key_id}", operation_id = "v1.admin.api-key.revoke", tag = "admin",
    params(ApiKeyPath),
    responses((status = 204, description = "It holds no longer, on any node. It stays in the list."))
)]
pub(super) async fn revoke(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApiKeyPath,
) -> Result<StatusCode, ApiError> {
    operate::revoke(&state, &caller, caller.operator()?, path.key).await
}
