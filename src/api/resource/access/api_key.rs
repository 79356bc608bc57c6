//! API keys: made, listed and revoked, by an environment for itself (`/api-key`) and by operators for all
//! (`/admin/api-key`). A key is shown once, when it is made.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::error::ApiError;
use crate::api::conventions::extract::{ApiQuery, JsonBody};
use crate::api::conventions::page::{ListOut, Ordering, PageQuery};
use crate::api::conventions::path::{PathObject, PathParameter, PathValues, path_extractors};
use crate::api::conventions::validate::Findings;
use crate::api::credential::{Caller, Role};
use crate::api::openapi::errors::NotFound;
use crate::api::state::{ApiState, SharedState};
use crate::domain::access::api_key::ApiKey;
use crate::domain::id::reference::Reference;
use crate::domain::id::{ApiKeyId, ApplicationId, EnvironmentId};
use crate::store::{ApiKeyRecord, KeyScope, NewKey};

/// What an API key may do.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it only describes `Role`, which the domain owns")]
enum KeyRole {
    Operator,
    Environment,
    Application,
}

/// A key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"name": "billing service", "role": "environment", "expiresAt": "2030-01-01T00:00:00Z"}))]
pub struct ApiKeyIn {
    /// For people.
    #[schema(min_length = 1)]
    name: String,
    /// `environment` when nothing is said; `application` for one tenant; `operator` by operators alone.
    #[schema(value_type = Option<KeyRole>)]
    role: Option<String>,
    /// In which environment; by operators alone.
    environment_id: Option<String>,
    /// For which application, by id or `uid`: with the role `application`.
    app_id: Option<String>,
    /// From then on it does not hold; without it, it holds until it is revoked.
    expires_at: Option<DateTime<Utc>>,
}

/// An API key.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "id": "key_01h455vb4pex5vsknk084sn02q", "name": "billing service", "role": "environment",
    "environmentId": "org_demo", "appId": null, "hint": "3kQw", "createdAt": "2026-11-22T10:00:00Z",
    "expiresAt": null, "lastUsedAt": null, "revokedAt": null
}))]
pub struct ApiKeyOut {
    /// Its id, which is not the key.
    #[schema(value_type = String)]
    id: ApiKeyId,
    /// The key itself: only in the answer to its making.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// For people.
    name: String,
    /// `operator`, `environment` or `application`.
    role: &'static str,
    /// In which environment.
    #[schema(value_type = Option<String>)]
    environment_id: Option<EnvironmentId>,
    /// For which application.
    #[schema(value_type = Option<String>)]
    app_id: Option<ApplicationId>,
    /// The last characters of the key.
    hint: String,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// From then on it does not hold.
    expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    last_used_at: Option<DateTime<Utc>>,
    /// Since then it does not hold.
    revoked_at: Option<DateTime<Utc>>,
}

impl From<ApiKeyRecord> for ApiKeyOut {
    fn from(record: ApiKeyRecord) -> Self {
        Self {
            id: record.id,
            key: None,
            name: record.name,
            role: record.scope.role().name(),
            environment_id: record.scope.environment().cloned(),
            app_id: record.scope.application(),
            hint: record.hint,
            created_at: record.created_at,
            expires_at: record.expires_at,
            last_used_at: record.last_used_at,
            revoked_at: record.revoked_at,
        }
    }
}

/// Whose keys an operator lists.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfEnvironment {
    /// Those of this environment.
    environment_id: Option<String>,
}

impl ApiKeyIn {
    /// Checks what needs no database, and tells the role that is meant.
    fn check(&self, by_operator: bool, now: DateTime<Utc>) -> Result<Role, ApiError> {
        let mut findings = Findings::of_body();
        findings.name("name", &self.name);
        let role = Role::from_name(self.role.as_deref().unwrap_or("environment"));
        match role {
            None => findings.add("role", "is not one of operator, environment, application"),
            Some(Role::Operator) if !by_operator => {
                findings.add("role", "only operators make keys for operators");
            }
            Some(_) => {}
        }
        if !by_operator && self.environment_id.is_some() {
            findings.add("environmentId", "is your own; leave it out");
        }
        if by_operator && (role == Some(Role::Operator)) != self.environment_id.is_none() {
            findings.add("environmentId", "goes with the roles environment and application");
        }
        if (role == Some(Role::Application)) != self.app_id.is_some() {
            findings.add("appId", "goes with the role application");
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            findings.add("expiresAt", "must lie ahead");
        }
        findings.finish()?;
        role.ok_or(ApiError::Internal)
    }
}

/// An environment that a body or a query names.
pub(in crate::api) fn named_environment(
    place: &str,
    field: &str,
    text: &str,
) -> Result<EnvironmentId, ApiError> {
    text.parse().map_err(|_| ApiError::invalid(&[place, field], "is not an environment's id", "value_error"))
}

async fn make(
    state: &ApiState,
    caller: &Caller,
    role: Role,
    environment: Option<EnvironmentId>,
    input: ApiKeyIn,
) -> Result<(StatusCode, Json<ApiKeyOut>), ApiError> {
    let scope = match (role, environment, input.app_id) {
        (Role::Operator, _, _) => KeyScope::Operator,
        (Role::Environment, Some(environment), _) => KeyScope::Environment(environment),
        (Role::Application, Some(environment), Some(named)) => {
            let found = state.configuration.application_id(&environment, &Reference::parse(&named)).await?;
            KeyScope::Application(environment, found.ok_or(ApiError::NotFound)?)
        }
        _ => return Err(ApiError::Internal),
    };
    let new = NewKey { key: ApiKey::generate(), scope, name: input.name, expires_at: input.expires_at };
    let record = state.access.create_api_key(caller.actor(), &new).await?;
    let key = Some(new.key.reveal().to_owned());
    Ok((StatusCode::CREATED, Json(ApiKeyOut { key, ..record.into() })))
}

async fn listed(
    state: &ApiState,
    environment: Option<&EnvironmentId>,
    query: &PageQuery,
) -> Result<Json<ListOut<ApiKeyOut>>, ApiError> {
    let page = query.request::<ApiKeyId>(Ordering::Descending)?;
    let rows = state.access.api_keys(environment, &page.scan).await?;
    Ok(Json(page.answer(rows, |row| row.id.to_string(), Into::into)))
}

async fn shown(
    state: &ApiState,
    environment: Option<&EnvironmentId>,
    id: ApiKeyId,
) -> Result<Json<ApiKeyOut>, ApiError> {
    let record = state.access.api_key(environment, id).await?;
    record.map(|record| Json(record.into())).ok_or(ApiError::NotFound)
}

async fn revoked(
    state: &ApiState,
    caller: &Caller,
    environment: Option<&EnvironmentId>,
    id: ApiKeyId,
) -> Result<StatusCode, ApiError> {
    let hash = state.access.revoke_api_key(caller.actor(), environment, id).await?;
    state.credentials.forget(&hash.ok_or(ApiError::NotFound)?);
    Ok(StatusCode::NO_CONTENT)
}

const KEY: PathParameter = PathParameter::new("key_id", "The key's id.");

/// An API key. That it is there is not looked up.
struct ApiKeyPath {
    key: ApiKeyId,
}

impl PathObject for ApiKeyPath {
    const PARAMETERS: &[PathParameter] = &[KEY];

    async fn find(values: &PathValues, _: &Caller, _: &ApiState) -> Result<Self, ApiError> {
        Ok(Self { key: values.id(&KEY)? })
    }
}

path_extractors!(ApiKeyPath);

/// List the environment's API keys.
#[utoipa::path(
    get, path = "/api/v1/api-key", operation_id = "v1.api-key.list", tag = "API key",
    params(PageQuery),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<ApiKeyOut>))
)]
async fn list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<ListOut<ApiKeyOut>>, ApiError> {
    listed(&state, Some(caller.whole_environment()?), &query).await
}

/// Make an API key for the environment, or for one of its applications.
#[utoipa::path(
    post, path = "/api/v1/api-key", operation_id = "v1.api-key.create", tag = "API key",
    request_body = ApiKeyIn,
    responses((status = 201, description = "Made; the key is shown this once.", body = ApiKeyOut), NotFound)
)]
async fn create(
    State(state): State<SharedState>,
    caller: Caller,
    JsonBody(input): JsonBody<ApiKeyIn>,
) -> Result<(StatusCode, Json<ApiKeyOut>), ApiError> {
    let environment = caller.whole_environment()?.clone();
    let role = input.check(false, state.authenticator.clock().now())?;
    make(&state, &caller, role, Some(environment), input).await
}

/// Get one of the environment's API keys.
#[utoipa::path(
    get, path = "/api/v1/api-key/{key_id}", operation_id = "v1.api-key.get", tag = "API key",
    params(ApiKeyPath),
    responses((status = 200, description = "The key, without itself.", body = ApiKeyOut))
)]
async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApiKeyPath,
) -> Result<Json<ApiKeyOut>, ApiError> {
    shown(&state, Some(caller.whole_environment()?), path.key).await
}

/// Revoke one of the environment's API keys.
#[utoipa::path(
    delete, path = "/api/v1/api-key/{key_id}", operation_id = "v1.api-key.revoke", tag = "API key",
    params(ApiKeyPath),
    responses((status = 204, description = "It holds no longer, on any node. It stays in the list."))
)]
async fn revoke(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApiKeyPath,
) -> Result<StatusCode, ApiError> {
    revoked(&state, &caller, Some(caller.whole_environment()?), path.key).await
}

/// List the API keys of all environments, operators' own among them.
#[utoipa::path(
    get, path = "/api/v1/admin/api-key", operation_id = "v1.admin.api-key.list", tag = "admin",
    params(PageQuery, OfEnvironment),
    responses((status = 200, description = "A page of them, newest first.", body = ListOut<ApiKeyOut>))
)]
async fn admin_list(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<PageQuery>,
    ApiQuery(of): ApiQuery<OfEnvironment>,
) -> Result<Json<ListOut<ApiKeyOut>>, ApiError> {
    let chosen = caller.operator()?.cloned();
    let named =
        of.environment_id.map(|text| named_environment("query", "environment_id", &text)).transpose()?;
    listed(&state, named.or(chosen).as_ref(), &query).await
}

/// Make an API key for operators, for an environment, or for an application.
#[utoipa::path(
    post, path = "/api/v1/admin/api-key", operation_id = "v1.admin.api-key.create", tag = "admin",
    request_body = ApiKeyIn,
    responses((status = 201, description = "Made; the key is shown this once.", body = ApiKeyOut), NotFound)
)]
async fn admin_create(
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
    make(&state, &caller, role, environment, input).await
}

/// Get an API key of any environment.
#[utoipa::path(
    get, path = "/api/v1/admin/api-key/{key_id}", operation_id = "v1.admin.api-key.get", tag = "admin",
    params(ApiKeyPath),
    responses((status = 200, description = "The key, without itself.", body = ApiKeyOut))
)]
async fn admin_get(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApiKeyPath,
) -> Result<Json<ApiKeyOut>, ApiError> {
    shown(&state, caller.operator()?, path.key).await
}

/// Revoke an API key of any environment.
#[utoipa::path(
    delete, path = "/api/v1/admin/api-key/{key_id}", operation_id = "v1.admin.api-key.revoke", tag = "admin",
    params(ApiKeyPath),
    responses((status = 204, description = "It holds no longer, on any node. It stays in the list."))
)]
async fn admin_revoke(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApiKeyPath,
) -> Result<StatusCode, ApiError> {
    revoked(&state, &caller, caller.operator()?, path.key).await
}

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, revoke))
        .routes(routes!(admin_list, admin_create))
        .routes(routes!(admin_get, admin_revoke))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::conventions::extract::parse;

    fn role(body: &str, by_operator: bool) -> Option<Role> {
        let now = DateTime::from_timestamp(1_900_000_000, 0).unwrap();
        parse::<ApiKeyIn>(body.as_bytes()).unwrap().check(by_operator, now).ok()
    }

    #[test]
    fn an_environment_makes_keys_for_itself_and_its_tenants() {
        assert_eq!(role(r#"{"name": "a"}"#, false), Some(Role::Environment));
        let tenant = r#"{"name": "a", "role": "application", "appId": "one"}"#;
        assert_eq!(role(tenant, false), Some(Role::Application));
        for refused in [
            r#"{"name": ""}"#,
            r#"{"name": "a", "role": "operator"}"#,
            r#"{"name": "a", "role": "root"}"#,
            r#"{"name": "a", "environmentId": "org_other"}"#,
            r#"{"name": "a", "appId": "one"}"#,
            r#"{"name": "a", "role": "application"}"#,
            r#"{"name": "a", "expiresAt": "2020-01-01T00:00:00Z"}"#,
        ] {
            assert_eq!(role(refused, false), None, "{refused}");
        }
    }

    #[test]
    fn an_operator_says_in_which_environment() {
        assert_eq!(role(r#"{"name": "a", "role": "operator"}"#, true), Some(Role::Operator));
        assert_eq!(role(r#"{"name": "a", "environmentId": "org_a"}"#, true), Some(Role::Environment));
        assert_eq!(role(r#"{"name": "a"}"#, true), None);
        assert_eq!(role(r#"{"name": "a", "role": "operator", "environmentId": "org_a"}"#, true), None);
    }
}
