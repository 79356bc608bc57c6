//! Sign in by an identity provider: the way there, and the way back. Both are pages that a browser goes to, so what goes
//! wrong on the way back is told by the page where one signs in.

use axum::Router;
use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::get;
use http::request::Parts;
use http::{StatusCode, header};
use subtle::ConstantTimeEq;
use url::{Url, form_urlencoded};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::caller_address::address_of;
use crate::api::error::ApiError;
use crate::api::openapi::errors::NotFound;
use crate::api::state::{ApiState, SharedState};
use crate::domain::access::actor::Actor;
use crate::domain::access::session::{PERSON_SESSION_LIFETIME, SessionOrigin};
use crate::openid::{Identity, OpenId, OpenIdError};
use crate::store::{EndedSessions, SignedInPerson};

use super::begin::{Beginning, Begun};
use super::below;
use super::provider_flow::{KeptFlow, forgotten};

const NO_PROVIDER: ApiError = ApiError::NoSuch("identity provider");
const CALLBACK: &str = "api/v1/session/oidc/callback";

/// Where a provider sends people back to. It has to know this address.
pub fn openid_redirect(public_url: &Url) -> Url {
    below(public_url, CALLBACK)
}

/// No path to return to is longer: the cookie that keeps it has to fit into a browser.
const MAX_RETURN_TO_BYTES: usize = 2_048;

/// Go to the identity provider.
///
/// A page that a browser goes to. The provider sends it back, and then it goes to `return_to`, signed in, or to
/// `sign-in?problem=`: `oidc_refused`, `oidc_failed`, `oidc_no_role` or `oidc_expired`.
#[utoipa::path(
    get, path = "/api/v1/session/oidc/start", operation_id = "v1.session.oidc-start", tag = "session", security(()),
    params((
        "return_to" = Option<String>, Query, description = "Where to go after signing in: a path below the public URL; \
            anything else counts as its beginning."
    )),
    responses((status = 303, description = "To the provider, or to the page where one signs in."), NotFound)
)]
async fn start(State(state): State<SharedState>, request: Parts) -> Result<Response, ApiError> {
    let openid = state.openid.as_ref().ok_or(NO_PROVIDER)?;
    // Who is at a browser could make nothing of an error in JSON.
    let wanted = said(request.uri.query().unwrap_or_default(), "return_to");
    let kept = KeptFlow::begin(&state, &return_to(&state.public_url, wanted.as_deref()));
    match openid.authorization_url(&kept.flow).await {
        Ok(url) => {
            let cookie = kept.cookie(&state)?;
            let headers = [(header::LOCATION, url.to_string())];
            Ok((StatusCode::SEE_OTHER, headers, [(header::SET_COOKIE, cookie)]).into_response())
        }
        Err(error) => Ok(problem(&state, Problem::of(&error))),
    }
}

/// A place below the public URL, as a browser reads it: what leads to another host, or out of the path, is none. It is a
/// whole URL, since one that is read again could mean something else (`/.//host` has the path `//host`).
fn return_to(public_url: &Url, wanted: Option<&str>) -> Url {
    let base = below(public_url, "");
    let is_path = |wanted: &&str| wanted.len() <= MAX_RETURN_TO_BYTES && wanted.starts_with('/');
    let place = wanted.filter(is_path).and_then(|wanted| base.join(wanted).ok());
    let is_below = |place: &Url| place.origin() == base.origin() && place.path().starts_with(base.path());
    place.filter(is_below).unwrap_or(base)
}

/// Why nobody is signed in, as the page knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Problem {
    Refused,
    Failed,
    NoRole,
    Expired,
}

impl Problem {
    /// The source is logged here, once. What anybody can have said as often as they like is no warning.
    fn of(error: &OpenIdError) -> Self {
        let source = error as &dyn std::error::Error;
        match error {
            OpenIdError::Away | OpenIdError::Busy => {
                tracing::debug!(error = source, "nobody was signed in by the identity provider");
            }
            _ => tracing::warn!(error = source, "nobody was signed in by the identity provider"),
        }
        if matches!(error, OpenIdError::Expired) { Self::Expired } else { Self::Failed }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Refused => "oidc_refused",
            Self::Failed => "oidc_failed",
            Self::NoRole => "oidc_no_role",
            Self::Expired => "oidc_expired",
        }
    }
}

impl From<ApiError> for Problem {
    fn from(_: ApiError) -> Self {
        Self::Failed
    }
}

fn problem(state: &ApiState, problem: Problem) -> Response {
    let mut url = below(&state.public_url, "sign-in");
    url.query_pairs_mut().append_pair("problem", problem.name());
    let headers = [(header::LOCATION, url.to_string())];
    (StatusCode::SEE_OTHER, headers, [(header::SET_COOKIE, forgotten(state))]).into_response()
}

/// The way back.
async fn callback(State(state): State<SharedState>, request: Parts) -> Response {
    let Some(openid) = state.openid.clone() else { return NO_PROVIDER.into_response() };
    match signed_in(&state, &openid, &request).await {
        Ok((begun, return_to)) => {
            let cookies = [begun.cookie(&state, &request), forgotten(&state)]
                .map(|cookie| (header::SET_COOKIE, cookie));
            let headers = [(header::LOCATION, return_to)];
            (StatusCode::SEE_OTHER, headers, AppendHeaders(cookies)).into_response()
        }
        Err(why) => problem(&state, why),
    }
}

async fn signed_in(
    state: &SharedState,
    openid: &OpenId,
    request: &Parts,
) -> Result<(Begun, String), Problem> {
    let kept = KeptFlow::of(&request.headers, state).ok_or(Problem::Expired)?;
    let code = code(&kept, request.uri.query().unwrap_or_default())?;
    let attempt = state.sign_in_failures.attempt(request, &state.trusted_proxies, &kept.flow.state)?;
    let identity = openid.identity(&kept.flow, &code).await.map_err(|error| Problem::of(&error))?;
    attempt.succeeded();
    let begun = begin(state, openid, identity, request).await?;
    Ok((begun, kept.return_to))
}

/// What a query says.
fn said(query: &str, name: &str) -> Option<String> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    pairs.into_iter().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// The code that the provider sends back, to the browser that began.
fn code(kept: &KeptFlow, query: &str) -> Result<String, Problem> {
    let state = said(query, "state").unwrap_or_default();
    if !bool::from(state.as_bytes().ct_eq(kept.flow.state.as_bytes())) {
        return Err(Problem::Failed);
    }
    match said(query, "error").as_deref() {
        None => said(query, "code").ok_or(Problem::Failed),
        Some("access_denied") => Err(Problem::Refused),
        Some(_) => Err(Problem::Failed),
    }
}

async fn begin(
    state: &SharedState,
    openid: &OpenId,
    identity: Identity,
    request: &Parts,
) -> Result<Begun, Problem> {
    let failed = |error: crate::store::StoreError| Problem::from(ApiError::from(error));
    let Some(role) = identity.role else {
        // They may have had one.
        let known =
            state.access.person_of_subject(openid.issuer(), &identity.subject).await.map_err(failed)?;
        if let Some(person) = known {
            let ended = EndedSessions::OfPerson(person);
            let actor = Actor::system("identity provider");
            let ended = state.access.end_sessions(&actor, ended).await.map_err(failed)?;
            forget(state, &ended).await;
        }
        return Err(Problem::NoRole);
    };
    if let Some(environment) = role.environment() {
        // Their row names it.
        let actor = Actor::system("identity provider");
        state.configuration.create_environment(&actor, environment).await.map_err(failed)?;
    }
    let name = identity.email.clone().or_else(|| identity.name.clone());
    let person = SignedInPerson {
        issuer: openid.issuer().to_owned(),
        subject: identity.subject.clone(),
        name: identity.name,
        email: identity.email,
        role: role.clone(),
    };
    let address = address_of(request, &state.trusted_proxies);
    let (actor, id, ended) = state.access.remember_person(&person, address).await.map_err(failed)?;
    forget(state, &ended).await;
    let beginning = Beginning {
        origin: SessionOrigin::Person { id, authority: *openid.authority() },
        role,
        name: name.unwrap_or(identity.subject),
        ends_at: Some(state.authenticator.clock().now() + PERSON_SESSION_LIFETIME),
    };
    Ok(beginning.begin(state, &actor).await?)
}

/// Returns when sessions that ended hold on no node any more.
async fn forget(state: &SharedState, ended: &[[u8; 32]]) {
    if !ended.is_empty() {
        ended.iter().for_each(|hash| state.credentials.forget(hash));
        state.changes.wait().await;
    }
}

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(start))
}

/// The way back is no operation that anybody calls.
pub(super) fn unlisted_routes() -> Router<SharedState> {
    Router::new().route(&format!("/{CALLBACK}"), get(callback))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_returns_to_a_place_of_our_own() {
        let returned = |public_url: &str, wanted: &str| {
            let place = return_to(&public_url.parse().unwrap(), Some(wanted)).to_string();
            place.strip_prefix("https://h").unwrap_or_else(|| panic!("{wanted} leads to {place}")).to_owned()
        };
        for (wanted, place) in [
            ("/applications?q=a#b", "/applications?q=a#b"),
            ("/messages?q=https://a.example//b", "/messages?q=https://a.example//b"),
            ("", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/\t/evil.example", "/"),
            ("https://evil.example", "/"),
            ("evil", "/"),
            ("/.//evil.example", "//evil.example"),
            ("/a\r\nset-cookie: x", "/aset-cookie:%20x"),
        ] {
            assert_eq!(returned("https://h/", wanted), place, "{wanted:?}");
        }
        assert_eq!(returned("https://h/", &format!("/{}", "a".repeat(MAX_RETURN_TO_BYTES))), "/");
        assert_eq!(returned("https://h/hooks", "/hooks/tasks"), "/hooks/tasks");
        for elsewhere in ["/other", "/hooks", "/hooks/../other", "/hooks/%2e%2E/other", "/hooksandmore/"] {
            assert_eq!(returned("https://h/hooks", elsewhere), "/hooks/", "{elsewhere}");
        }
        assert_eq!(return_to(&"https://h/hooks/".parse().unwrap(), None).as_str(), "https://h/hooks/");
    }

    #[test]
    fn the_provider_knows_one_address() {
        for url in ["https://h/hooks", "https://h/hooks/"] {
            let redirect = openid_redirect(&url.parse().unwrap());
            assert_eq!(redirect.as_str(), "https://h/hooks/api/v1/session/oidc/callback");
        }
    }
}
