//! What is done with API keys, in an environment or in all of them.

use axum::Json;
use http::StatusCode;

use crate::api::conventions::page::{ListOut, Ordering, PageQuery};
use crate::api::credential::{Caller, Role};
use crate::api::error::ApiError;
use crate::api::state::ApiState;
use crate::domain::access::api_key::ApiKey;
use crate::domain::id::reference::Reference;
use crate::domain::id::{ApiKeyId, EnvironmentId};
use crate::store::{KeyScope, NewKey};

use super::shape::{ApiKeyIn, ApiKeyOut};

pub(super) async fn create(
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
            KeyScope::Application(environment, found.ok_or(ApiError::NoSuch("application"))?)
        }
        _ => return Err(ApiError::Internal),
    };
    let new = NewKey { key: ApiKey::generate(), scope, name: input.name, expires_at: input.expires_at };
    let record = state.access.create_api_key(caller.actor(), &new).await?;
    let mut created = ApiKeyOut::from(record);
    created.key = Some(new.key.reveal().to_owned());
    Ok((StatusCode::CREATED, Json(created)))
}

pub(super) async fn list(
    state: &ApiState,
    environment: Option<&EnvironmentId>,
    query: &PageQuery,
) -> Result<Json<ListOut<ApiKeyOut>>, ApiError> {
    let page = query.request::<ApiKeyId>(Ordering::Descending)?;
    let rows = state.access.api_keys(environment, &page.scan).await?;
    Ok(Json(page.answer(rows, |row| row.id.to_string(), Into::into)))
}

pub(super) async fn get(
    state: &ApiState,
    environment: Option<&EnvironmentId>,
    id: ApiKeyId,
) -> Result<Json<ApiKeyOut>, ApiError> {
    let record = state.access.api_key(environment, id).await?;
    record.map(|record| Json(record.into())).ok_or(ApiError::NoSuch("API key"))
}

pub(super) async fn revoke(
    state: &ApiState,
    caller: &Caller,
    environment: Option<&EnvironmentId>,
    id: ApiKeyId,
) -> Result<StatusCode, ApiError> {
    let hash = state.access.revoke_api_key(caller.actor(), environment, id).await?;
    state.credentials.forget(&hash.ok_or(ApiError::NoSuch("API key"))?);
    Ok(StatusCode::NO_CONTENT)
}
