//! Tokens for tenants: a link to the portal with a token in it, and the ways to take tokens back.

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::error::ApiError;
use crate::api::conventions::extract::{JsonBody, RawBody, parse};
use crate::api::conventions::validate::Findings;
use crate::api::credential::{Caller, Role};
use crate::api::openapi::errors::NotFound;
use crate::api::resource::application::{ApplicationIn, create_unless_there};
use crate::api::resource::path::{ApplicationName, ApplicationPath};
use crate::api::state::{ApiState, SharedState};
use crate::domain::access::actor::ActorKind;
use crate::domain::access::capability::Capability;
use crate::domain::access::claims::Claims;
use crate::domain::id::{ApplicationId, EnvironmentId, TokenId};

const DEFAULT_EXPIRY_SECONDS: u32 = 7 * 24 * 60 * 60;
const MIN_EXPIRY_SECONDS: u32 = 60 * 60;
const MAX_EXPIRY_SECONDS: u32 = 30 * 24 * 60 * 60;
const MAX_GRACE_SECONDS: u32 = 7 * 24 * 60 * 60;
const MAX_FLAGS: usize = 100;
const MAX_SESSIONS: usize = 100;

/// One thing that a tenant's token may allow: `ViewBase` to look at everything but secrets; `ViewEndpointSecret` to
/// see endpoints' secrets; `ManageEndpointSecret` to see and rotate them; `ManageTransformations` to change
/// transformations; `CreateAttempts` to have messages sent again; `ManageEndpoint` to do anything to endpoints.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes `Capability`, which the domain owns")]
enum AppPortalCapability {
    ViewBase,
    ViewEndpointSecret,
    ManageEndpointSecret,
    ManageTransformations,
    CreateAttempts,
    ManageEndpoint,
}

/// What a link to the portal is to allow.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"expiry": 86400, "capabilities": ["ViewBase", "CreateAttempts"]}))]
pub struct AppPortalAccessIn {
    /// The application to create, if there is none of that `uid` yet. It is passed over where there is.
    application: Option<ApplicationIn>,
    /// How long the token holds, in seconds: an hour to thirty days, seven days when absent.
    #[schema(minimum = 3600, maximum = 2_592_000)]
    expiry: Option<u32>,
    /// The flags of features that the token shows.
    #[schema(max_items = 100)]
    feature_flags: Option<Vec<String>>,
    /// Only to look.
    read_only: Option<bool>,
    /// Your own id for the session; tokens can be taken back by it.
    #[schema(min_length = 1, max_length = 256, pattern = "^[a-zA-Z0-9\\-_.]+$")]
    session_id: Option<String>,
    /// What the token allows; everything that is the tenant's own when absent. `ViewBase` is always among them.
    #[schema(value_type = Option<Vec<AppPortalCapability>>)]
    capabilities: Option<Vec<Capability>>,
}

/// A link to the portal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"url": "https://hooks.example.com/portal/#key=eyJhcHBJZCI6Ij", "token": "eyJhbGciOiJIUzI1NiJ9"}))]
pub struct AppPortalAccessOut {
    /// The link. After `#key=` stands Base64 of a JSON object with `appId`, `token` and `serverUrl`; being behind the
    /// `#`, it is never sent to a server.
    url: String,
    /// The token alone.
    token: String,
}

/// Which tokens to take back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"sessionIds": ["user_7"]}))]
pub struct ApplicationTokenExpireIn {
    /// For so many seconds they go on; at once when absent.
    #[schema(minimum = 0, maximum = 604_800)]
    expiry: Option<u32>,
    /// Only those of these sessions.
    #[schema(max_items = 100)]
    session_ids: Option<Vec<String>>,
}

/// Who you are.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "kind": "token", "id": "org_demo", "role": "environment", "environmentId": "org_demo", "envId": "org_demo",
    "permissionSource": "SvixJwt", "appId": null,
    "capabilities": null, "featureFlags": null, "sessionId": null, "expiresAt": null
}))]
pub struct WhoAmIOut {
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

impl AppPortalAccessIn {
    fn check(&self) -> Result<(), ApiError> {
        let mut findings = Findings::of_body();
        let seconds = self.expiry.unwrap_or(DEFAULT_EXPIRY_SECONDS);
        if !(MIN_EXPIRY_SECONDS..=MAX_EXPIRY_SECONDS).contains(&seconds) {
            findings.add("expiry", format!("must be between {MIN_EXPIRY_SECONDS} and {MAX_EXPIRY_SECONDS}"));
        }
        let flags = self.feature_flags.as_deref().unwrap_or_default();
        findings.event_types("featureFlags", flags);
        if flags.len() > MAX_FLAGS {
            findings.add("featureFlags", format!("may have {MAX_FLAGS} entries at most"));
        }
        if let Some(session) = &self.session_id {
            findings.event_type("sessionId", session);
        }
        if self.capabilities.as_ref().is_some_and(|given| !given.contains(&Capability::ViewBase)) {
            findings.add("capabilities", "must have `ViewBase` among them");
        }
        findings.finish()?;
        let application = self.application.as_ref().map(ApplicationIn::settings).transpose();
        application.map(drop).map_err(|error| error.within(&["application"]))
    }

    /// What the token allows; `None` for everything.
    fn allowed(&self) -> Option<Vec<String>> {
        let reads = [Capability::ViewBase, Capability::ViewEndpointSecret];
        let mut allowed = self.capabilities.clone();
        if self.read_only == Some(true) {
            let mut given = allowed.unwrap_or_else(|| vec![Capability::ViewBase]);
            given.retain(|capability| reads.contains(capability));
            allowed = Some(given);
        }
        allowed.map(|given| given.iter().map(|capability| capability.name().to_owned()).collect())
    }

    fn claims(&self, environment: &EnvironmentId, application: ApplicationId, now: DateTime<Utc>) -> Claims {
        let seconds = self.expiry.unwrap_or(DEFAULT_EXPIRY_SECONDS);
        Claims {
            sub: application.to_string(),
            org: Some(environment.to_string()),
            iat: now.timestamp(),
            exp: Some(now.timestamp() + i64::from(seconds)),
            jti: Some(TokenId::generate().to_string()),
            capabilities: self.allowed(),
            feature_flags: Some(self.feature_flags.clone().unwrap_or_default()),
            session_id: self.session_id.clone(),
            nbf: None,
        }
    }
}

/// Make a link that opens the portal for a tenant.
#[utoipa::path(
    post, path = "/api/v1/auth/app-portal-access/{app_id}",
    operation_id = "v1.authentication.app-portal-access", tag = "authentication",
    params(ApplicationName),
    request_body = AppPortalAccessIn,
    responses((status = 200, description = "The link.", body = AppPortalAccessOut))
)]
async fn app_portal_access(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationName,
    JsonBody(input): JsonBody<AppPortalAccessIn>,
) -> Result<Json<AppPortalAccessOut>, ApiError> {
    caller.whole_environment()?;
    input.check()?;
    access(&state, &caller, &path.name, input).await
}

/// Make a link that opens the portal for a tenant, with everything allowed. Older clients ask here.
#[utoipa::path(
    post, path = "/api/v1/auth/dashboard-access/{app_id}",
    operation_id = "v1.authentication.dashboard-access", tag = "authentication",
    params(ApplicationName),
    responses((status = 200, description = "The link.", body = AppPortalAccessOut))
)]
async fn dashboard_access(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationName,
) -> Result<Json<AppPortalAccessOut>, ApiError> {
    caller.whole_environment()?;
    access(&state, &caller, &path.name, AppPortalAccessIn::default()).await
}

async fn access(
    state: &ApiState,
    caller: &Caller,
    app_id: &str,
    mut input: AppPortalAccessIn,
) -> Result<Json<AppPortalAccessOut>, ApiError> {
    let application = match (caller.application(&state.configuration, app_id).await, input.application.take())
    {
        (Err(ApiError::NotFound), Some(application)) => {
            create_unless_there(state, caller, app_id, application).await?;
            caller.application(&state.configuration, app_id).await?
        }
        (found, _) => found?,
    };
    let claims = input.claims(caller.environment()?, application, state.authenticator.clock().now());
    let token = state.authenticator.sign(&claims)?;
    let server = state.public_url.as_str().trim_end_matches('/');
    let key = json!({ "appId": application, "token": token, "serverUrl": server });
    let url = format!("{server}/portal/#key={}", STANDARD.encode(key.to_string()));
    Ok(Json(AppPortalAccessOut { url, token }))
}

/// Take back the tokens of an application that were issued until now.
#[utoipa::path(
    post, path = "/api/v1/auth/app/{app_id}/expire-all", operation_id = "v1.authentication.expire-all",
    tag = "authentication",
    params(ApplicationPath),
    request_body(content = Option<ApplicationTokenExpireIn>, description = "May be left out: all of them, at once."),
    responses((status = 204, description = "They hold no longer, on any node."))
)]
async fn expire_all(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
    RawBody(body): RawBody,
) -> Result<StatusCode, ApiError> {
    caller.whole_environment()?;
    let input: ApplicationTokenExpireIn =
        if body.is_empty() { ApplicationTokenExpireIn::default() } else { parse(&body)? };
    let grace = input.expiry.unwrap_or(0);
    let sessions = input.session_ids.unwrap_or_default();
    let mut findings = Findings::of_body();
    if grace > MAX_GRACE_SECONDS {
        findings.add("expiry", format!("may be {MAX_GRACE_SECONDS} at most"));
    }
    findings.event_types("sessionIds", &sessions);
    if sessions.len() > MAX_SESSIONS {
        findings.add("sessionIds", format!("may have {MAX_SESSIONS} entries at most"));
    }
    findings.finish()?;
    let (now, grace) = (state.authenticator.clock().now(), TimeDelta::seconds(i64::from(grace)));
    state.access.expire_tokens(caller.actor(), path.application, &sessions, now, grace).await?;
    state.credentials.forget_tokens(path.application);
    Ok(StatusCode::NO_CONTENT)
}

/// Log out: take back the tenant's token that this request comes with.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", operation_id = "v1.authentication.logout", tag = "authentication",
    responses((status = 204, description = "The token holds no longer, on any node."), NotFound)
)]
async fn logout(State(state): State<SharedState>, caller: Caller) -> Result<StatusCode, ApiError> {
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
async fn whoami(caller: Caller) -> Json<WhoAmIOut> {
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

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(app_portal_access))
        .routes(routes!(dashboard_access))
        .routes(routes!(expire_all))
        .routes(routes!(logout))
        .routes(routes!(whoami))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(body: &str) -> AppPortalAccessIn {
        parse(body.as_bytes()).unwrap()
    }

    #[test]
    fn a_link_that_only_looks_allows_nothing_else() {
        let allowed = |body| input(body).allowed();
        let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(allowed("{}"), None);
        assert_eq!(allowed(r#"{"readOnly": false}"#), None);
        assert_eq!(allowed(r#"{"readOnly": true}"#), names(&["ViewBase"]));
        let given =
            r#"{"readOnly": true, "capabilities": ["ViewBase", "ManageEndpoint", "ViewEndpointSecret"]}"#;
        assert_eq!(allowed(given), names(&["ViewBase", "ViewEndpointSecret"]));
        let given = r#"{"capabilities": ["ViewBase", "ManageEndpoint"]}"#;
        assert_eq!(allowed(given), names(&["ViewBase", "ManageEndpoint"]));
    }

    #[test]
    fn what_a_link_may_ask_for_has_bounds() {
        for good in ["{}", r#"{"expiry": 3600}"#, r#"{"expiry": 2592000}"#, r#"{"sessionId": "user_7"}"#] {
            assert!(input(good).check().is_ok(), "{good}");
        }
        for bad in [
            r#"{"expiry": 3599}"#,
            r#"{"expiry": 2592001}"#,
            r#"{"sessionId": ""}"#,
            r#"{"featureFlags": ["a b"]}"#,
            r#"{"capabilities": ["ManageEndpoint"]}"#,
            r#"{"capabilities": []}"#,
            r#"{"application": {"name": ""}}"#,
        ] {
            assert!(input(bad).check().is_err(), "{bad}");
        }
        assert!(parse::<AppPortalAccessIn>(br#"{"capabilities": ["Everything"]}"#).is_err());
    }
}
