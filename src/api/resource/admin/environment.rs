//! Environments: they are there from the first time that a token names them, or made here before.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::environment::named_environment;
use crate::api::conventions::extract::{ApiQuery, JsonBody};
use crate::api::conventions::page::{ListOut, Ordering, PageQuery};
use crate::api::conventions::path::{PathObject, PathParameter, PathValues, path_extractors};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::{ApiState, SharedState};
use crate::domain::id::EnvironmentId;
use crate::store::EnvironmentRecord;

/// An environment to make.
#[derive(Debug, Deserialize, ToSchema)]
pub(in crate::api::resource::admin) struct EnvironmentIn {
    /// Its id: `org_` and up to 64 letters, digits, `_` or `-`.
    #[schema(pattern = "^org_[A-Za-z0-9_-]{1,64}$", example = "org_demo")]
    id: String,
}

/// An environment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api::resource::admin) struct EnvironmentOut {
    /// Its id.
    #[schema(value_type = String, example = "org_demo")]
    id: EnvironmentId,
    /// When it was first named.
    created_at: DateTime<Utc>,
}

impl From<EnvironmentRecord> for EnvironmentOut {
    fn from(record: EnvironmentRecord) -> Self {
        Self { id: record.id, created_at: record.created_at }
    }
}

const ENVIRONMENT: PathParameter = PathParameter::new("environment_id", "The environment's id.");

/// An environment. That it is there is not looked up.
struct EnvironmentPath {
    environment: EnvironmentId,
}

impl PathObject for EnvironmentPath {
    const PARAMETERS: &[PathParameter] = &[ENVIRONMENT];

    async fn find(values: &PathValues, _: &Caller, _: &ApiState) -> Result<Self, ApiError> {
        Ok(Self { environment: values.id(&ENVIRONMENT)? })
    }
}

path_extractors!(EnvironmentPath);

/// List all environments.
#[utoipa::path(
    get, path = "/api/v1/admin/environment", operation_id = "v1.admin.environment.list", tag = "admin",
    params(PageQuery),
    responses((status = 200, description = "A page of them, by id.", body = ListOut<EnvironmentOut>))
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<ListOut<EnvironmentOut>>, ApiError> {
    caller.operator()?;
    let page = query.request::<EnvironmentId>(Ordering::Ascending)?;
    let rows = state.configuration.environments(&page.scan).await?;
    Ok(Json(page.answer(rows, |row| row.id.to_string(), Into::into)))
}

/// Make an environment.
#[utoipa::path(
    post, path = "/api/v1/admin/environment", operation_id = "v1.admin.environment.create", tag = "admin",
    request_body = EnvironmentIn,
    responses(
        (status = 200, description = "It was there already.", body = EnvironmentOut),
        (status = 201, description = "Made.", body = EnvironmentOut)
    )
)]
async fn create(
    State(state): State<SharedState>,
    caller: Caller,
    JsonBody(input): JsonBody<EnvironmentIn>,
) -> Result<(StatusCode, Json<EnvironmentOut>), ApiError> {
    caller.operator()?;
    let id = named_environment("body", "id", &input.id)?;
    let is_new = state.configuration.create_environment(caller.actor(), &id).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let record = state.configuration.environment(&id).await?.ok_or(ApiError::Internal)?;
    Ok((status, Json(record.into())))
}

/// Get an environment.
#[utoipa::path(
    get, path = "/api/v1/admin/environment/{environment_id}", operation_id = "v1.admin.environment.get",
    tag = "admin",
    params(EnvironmentPath),
    responses((status = 200, description = "The environment.", body = EnvironmentOut))
)]
async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: EnvironmentPath,
) -> Result<Json<EnvironmentOut>, ApiError> {
    caller.operator()?;
    let record = state.configuration.environment(&path.environment).await?;
    record.map(|record| Json(record.into())).ok_or(ApiError::NoSuch("environment"))
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get))
}
