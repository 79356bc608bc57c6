//! The credential that a request comes with: what it is, and taking it back.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::credential::{Caller, Role};
use crate::api::error::ApiError;
use crate::api::openapi::errors::NotFound;
use crate::api::state::SharedState;
use crate::domain::access::actor::ActorKind;
use crate::domain::access::capability::Capability;
use crate::domain::id::{ApplicationId, EnvironmentId};

use super::AppPortalCapability;

/// Who you are.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "kind": "token", "id": "org_demo", "role": "environment", "environmentId": "org_demo", "envId": "org_demo",
    "permissionSource": "SvixJwt", "appId": null,
    "capabilities": null, "featureFlags": null, "sessionId": null, "expiresAt": null
}))]
pub(super) struct WhoAmIOut {
    /// `token` or `api_key`.
    kind: &'static str,
    /// The API key's id; a token's own id, or else its subject.
    id: String,
    /// `operator`, `environment` or `application`.
    role: &'static str,
    /// The environment; `null` for an operator who chose none.
    #[schema(value_type = Option<String>)]
    environment_id: Option<EnvironmentId>,
    /// The same as `environmentId`.
    #[schema(value_type = Option<String>)]
    env_id: Option<EnvironmentId>,
    /// The kind in the words that client libraries know: `SvixJwt` for a token, `RegionalAuthToken` for an API key.
    permission_source: &'static str,
    /// A tenant's application.
    #[schema(value_type = Option<String>)]
    app_id: Option<ApplicationId>,
    /// What a tenant's credential allows.
    #[schema(value_type = Option<Vec<AppPortalCapability>>)]
    capabilities: Option<Vec<Capability>>,
    /// The flags of features that it shows.
    feature_flags: Option<Vec<String>>,
    /// The session that it was issued for.
    session_id: Option<String>,
    /// When it ends.
    expires_at: Option<DateTime<Utc>>,
}

/// Log out: take back the tenant's token that this request comes with.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", operation_id = "v1.authentication.logout", tag = "authentication",
    responses((status = 204, description = "The token holds no longer, on any node."), NotFound)
)]
pub(super) async fn logout(State(state): State<SharedState>, caller: Caller) -> Result<StatusCode, ApiError> {
    let (Some(application), Some(token)) = (caller.own_application(), caller.token()) else {
        return Err(ApiError::Forbidden);
    };
    // The tenant may be a stranger to the environment that its token names.
    let known = caller.application(&state.configuration, &application.to_string()).await?;
    state.access.log_out(caller.actor(), known, &token.hash, caller.expires_at()).await?;
    state.credentials.forget_tokens(known);
    Ok(StatusCode::NO_CONTENT)
}

/// Tell who the request's credential speaks for, and what it allows.
#[utoipa::path(
    get, path = "/api/v1/auth/whoami", operation_id = "v1.authentication.whoami", tag = "authentication",
    responses((status = 200, description = "Who you are.", body = WhoAmIOut))
)]
pub(super) async fn whoami(caller: Caller) -> Json<WhoAmIOut> {
    let is_tenant = caller.role == Role::Application;
    Json(WhoAmIOut {
        kind: caller.actor().kind.name(),
        id: caller.actor().id.clone(),
        role: caller.role.name(),
        environment_id: caller.environment().ok().cloned(),
        env_id: caller.environment().ok().cloned(),
        permission_source: if caller.actor().kind == ActorKind::ApiKey {
            "RegionalAuthToken"
        } else {
            "SvixJwt"
        },
        app_id: caller.own_application(),
        capabilities: is_tenant.then(|| caller.capabilities().to_vec()),
        feature_flags: caller.feature_flags().map(<[String]>::to_vec),
        session_id: caller.token().and_then(|token| token.session_id.clone()),
        expires_at: caller.expires_at(),
    })
}
