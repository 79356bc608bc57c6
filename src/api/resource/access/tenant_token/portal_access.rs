//! Links that open the portal for a tenant.

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::api::conventions::extract::JsonBody;
use crate::api::conventions::validate::Findings;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::application::{ApplicationIn, create_unless_there};
use crate::api::resource::path::ApplicationName;
use crate::api::state::{ApiState, SharedState};
use crate::domain::access::capability::Capability;
use crate::domain::access::claims::Claims;
use crate::domain::id::{ApplicationId, EnvironmentId, TokenId};

use super::AppPortalCapability;

const DEFAULT_EXPIRY_SECONDS: u32 = 7 * 24 * 60 * 60;
const MIN_EXPIRY_SECONDS: u32 = 60 * 60;
const MAX_EXPIRY_SECONDS: u32 = 30 * 24 * 60 * 60;
const MAX_FLAGS: usize = 100;

/// What a link to the portal is to allow.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"expiry": 86400, "capabilities": ["ViewBase", "CreateAttempts"]}))]
pub(super) struct AppPortalAccessIn {
    /// The application to create, if there is none of the `uid` in the path yet. It is passed over where there is.
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
pub(super) struct AppPortalAccessOut {
    /// The link. After `#key=` stands Base64 of a JSON object with `appId`, `token` and `serverUrl`; being behind the
    /// `#`, it is never sent to a server.
    url: String,
    /// The token alone.
    token: String,
}

impl AppPortalAccessIn {
    fn check(&self, app_id: &str) -> Result<(), ApiError> {
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
        self.application.as_ref().map_or(Ok(()), |application| application.check_created_at(app_id))
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
pub(super) async fn app_portal_access(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationName,
    JsonBody(input): JsonBody<AppPortalAccessIn>,
) -> Result<Json<AppPortalAccessOut>, ApiError> {
    caller.whole_environment()?;
    input.check(&path.name)?;
    access(&state, &caller, &path.name, input).await
}

/// Make a link that opens the portal for a tenant, with everything allowed. Older clients ask here.
#[utoipa::path(
    post, path = "/api/v1/auth/dashboard-access/{app_id}",
    operation_id = "v1.authentication.dashboard-access", tag = "authentication",
    params(ApplicationName),
    responses((status = 200, description = "The link.", body = AppPortalAccessOut))
)]
pub(super) async fn dashboard_access(
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
        (Err(error), Some(application)) if error.is_not_found() => {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::conventions::extract::parse;

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
            assert!(input(good).check("tenant").is_ok(), "{good}");
        }
        for bad in [
            r#"{"expiry": 3599}"#,
            r#"{"expiry": 2592001}"#,
            r#"{"sessionId": ""}"#,
            r#"{"featureFlags": ["a b"]}"#,
            r#"{"capabilities": ["ManageEndpoint"]}"#,
            r#"{"capabilities": []}"#,
            r#"{"application": {"name": ""}}"#,
            r#"{"application": {"name": "a", "uid": "another"}}"#,
        ] {
            assert!(input(bad).check("tenant").is_err(), "{bad}");
        }
        assert!(parse::<AppPortalAccessIn>(br#"{"capabilities": ["Everything"]}"#).is_err());
    }
}
