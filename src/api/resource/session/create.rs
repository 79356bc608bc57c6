//! Sign in with a credential or a one-time link.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{StatusCode, header};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::caller_address::address_of;
use crate::api::conventions::extract::JsonBody;
use crate::api::credential::Caller;
use crate::api::credential::csrf::csrf_token;
use crate::api::error::ApiError;
use crate::api::openapi::errors::SignInErrors;
use crate::api::state::{ApiState, SharedState};
use crate::domain::access::actor::{Actor, ActorKind, Role};
use crate::domain::access::claims::OPERATOR_SUBJECT;
use crate::domain::access::opaque_token::OpaqueToken;
use crate::domain::access::session::{ConsoleRole, LINK_NAME, SESSION_IDLE_TIMEOUT, SessionOrigin};

use super::begin::{Beginning, Begun};
use super::{NEVER_KEPT, SessionOut};

/// What to sign in with: exactly one of these.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"credential": "pr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}))]
struct SessionIn {
    /// An API key (`pr_…`) or a token, of an operator or an environment.
    #[schema(max_length = 8192)]
    credential: Option<String>,
    /// The token of a one-time link.
    #[schema(max_length = 128)]
    link: Option<String>,
}

const TENANT: ApiError = ApiError::Refused {
    code: "not_for_console",
    detail: "A tenant's credential opens the portal, not the console.",
};

/// Sign in to the console with an API key, a token or a one-time link.
///
/// The answer sets the session's cookie. After 10 failures within a minute from one address, or with what begins alike, further
/// attempts are refused.
#[utoipa::path(
    post, path = "/api/v1/session", operation_id = "v1.session.create", tag = "session", security(()),
    request_body = SessionIn,
    responses((status = 201, description = "The session; its cookie is set.", body = SessionOut), SignInErrors)
)]
async fn create(
    State(state): State<SharedState>,
    request: Parts,
    JsonBody(input): JsonBody<SessionIn>,
) -> Result<Response, ApiError> {
    state.cookies.check_origin(&request)?;
    // A form of another site could send one without.
    if !request.headers.contains_key(header::CONTENT_TYPE) {
        return Err(ApiError::UnsupportedMediaType);
    }
    let address = address_of(&request, &state.trusted_proxies);
    let actor = Actor {
        kind: ActorKind::Link,
        id: LINK_NAME.to_owned(),
        role: Some(Role::Operator),
        address,
        session: None,
    };
    let shape =
        || ApiError::invalid(&["body"], "needs exactly one of `credential` and `link`", "value_error");
    let (credential, link) = match (&input.credential, &input.link) {
        (Some(credential), None) => (Some(credential), None),
        (None, Some(link)) => (None, Some(link)),
        _ => return Err(shape()),
    };
    let tried = credential.or(link).ok_or_else(shape)?;
    let attempt = state.sign_in_failures.attempt(&request, &state.trusted_proxies, tried)?;
    let begun = match (credential, link) {
        (Some(credential), _) => by_credential(&state, credential, address).await,
        (None, Some(link)) => by_link(&state, link, &actor).await,
        (None, None) => Err(shape()),
    };
    if !matches!(begun, Err(ApiError::Unauthenticated(_))) {
        attempt.succeeded();
    }
    let begun = begun?;
    let headers = [(header::SET_COOKIE, begun.cookie(&state, &request)), (header::CACHE_CONTROL, NEVER_KEPT)];
    Ok((StatusCode::CREATED, headers, Json(shown(&state, begun))).into_response())
}

async fn by_credential(
    state: &ApiState,
    text: &str,
    address: Option<std::net::IpAddr>,
) -> Result<Begun, ApiError> {
    let caller = state.authenticator.identify_text(&state.credentials, text.trim(), None).await?;
    if caller.is_tenant() {
        return Err(TENANT);
    }
    let caller = caller.at(address);
    let beginning = Beginning {
        origin: origin(state, &caller)?,
        role: caller.console_role()?,
        name: name(state, &caller).await?,
        ends_at: caller.expires_at(),
    };
    beginning.begin(state, caller.actor()).await
}

fn origin(state: &ApiState, caller: &Caller) -> Result<SessionOrigin, ApiError> {
    match caller.token() {
        Some(token) => {
            Ok(SessionOrigin::Token { hash: token.hash, authority: state.authenticator.authority() })
        }
        None => caller.actor().id.parse().map(SessionOrigin::ApiKey).map_err(|_| ApiError::Internal),
    }
}

/// How people know a bearer credential: an API key by its name, a token by its subject.
pub(super) async fn name(state: &ApiState, caller: &Caller) -> Result<String, ApiError> {
    let key = caller.actor().id.parse().ok().filter(|_| caller.actor().kind == ActorKind::ApiKey);
    if let Some(key) = key {
        let record = state.access.api_key(None, key).await?;
        return Ok(record.map_or_else(|| key.to_string(), |record| record.name));
    }
    Ok(match caller.console_role()? {
        ConsoleRole::Operator => OPERATOR_SUBJECT.to_owned(),
        ConsoleRole::Environment(environment) => environment.to_string(),
    })
}

async fn by_link(state: &ApiState, text: &str, actor: &Actor) -> Result<Begun, ApiError> {
    let refused = || ApiError::Unauthenticated("The link was used or has expired.");
    let link = OpaqueToken::parse(text.trim()).ok_or_else(refused)?;
    let beginning = Beginning {
        origin: SessionOrigin::Link,
        role: ConsoleRole::Operator,
        name: LINK_NAME.to_owned(),
        ends_at: None,
    };
    let (new, actor) = beginning.session(actor);
    let record = state.access.exchange_sign_in_link(&actor, &link.hash(), &new).await?.ok_or_else(refused)?;
    Ok(Begun { token: new.token, record })
}

fn shown(state: &ApiState, begun: Begun) -> SessionOut {
    let Begun { token, record } = begun;
    let unused = state.authenticator.clock().now() + SESSION_IDLE_TIMEOUT;
    SessionOut {
        kind: record.origin.kind().name(),
        name: record.name,
        role: record.role.role().name(),
        environment_id: record.role.environment().cloned(),
        csrf_token: csrf_token(&token).reveal().to_owned(),
        expires_at: Some(unused.min(record.ends_at)),
        version: env!("CARGO_PKG_VERSION"),
    }
}

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(create))
}
