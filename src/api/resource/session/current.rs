//! Who is signed in, and signing out.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::{StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::ApiQuery;
use crate::api::credential::Caller;
use crate::api::credential::cookie::SESSION;
use crate::api::credential::csrf::csrf_token;
use crate::api::error::ApiError;
use crate::api::state::SharedState;
use crate::domain::access::session::SessionOrigin;
use crate::store::EndedSessions;

use super::{NEVER_KEPT, SessionOut, create};

/// Which sessions end.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SignOutQuery {
    /// Also every other session of the same person, key or token, or every other one that began with a link.
    #[serde(default)]
    #[param(default = false)]
    everywhere: bool,
}

/// Tell who is signed in.
#[utoipa::path(
    get, path = "/api/v1/session", operation_id = "v1.session.get", tag = "session",
    responses((status = 200, description = "The session, or what a bearer credential stands for.", body = SessionOut))
)]
async fn get(State(state): State<SharedState>, caller: Caller) -> Result<impl IntoResponse, ApiError> {
    let role = caller.console_role()?;
    let (name, csrf_token) = match caller.session() {
        Some(session) => (session.name.clone(), csrf_token(&session.token).reveal().to_owned()),
        None => (create::name(&state, &caller).await?, String::new()),
    };
    let shown = SessionOut {
        kind: caller.actor().kind.name(),
        name,
        role: role.role().name(),
        environment_id: role.environment().cloned(),
        csrf_token,
        expires_at: caller.expires_at(),
        version: env!("CARGO_PKG_VERSION"),
    };
    Ok(([(header::CACHE_CONTROL, NEVER_KEPT)], Json(shown)))
}

/// Sign out.
#[utoipa::path(
    delete, path = "/api/v1/session", operation_id = "v1.session.delete", tag = "session",
    params(SignOutQuery),
    responses((status = 204, description = "It holds no longer, on any node; the cookie is cleared."))
)]
async fn delete(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<SignOutQuery>,
) -> Result<impl IntoResponse, ApiError> {
    caller.console_role()?;
    if let Some(ended) = ended(&caller, query.everywhere) {
        for hash in state.access.end_sessions(caller.actor(), ended).await? {
            state.credentials.forget(&hash);
        }
    }
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, state.cookies.clear(SESSION))]))
}

/// Which sessions end. A bearer credential has none of its own, but others may have begun with it.
fn ended(caller: &Caller, everywhere: bool) -> Option<EndedSessions> {
    let Some(session) = caller.session() else {
        let by_key = || caller.actor().id.parse().ok().map(EndedSessions::OfApiKey);
        let all = caller.token().map(|token| EndedSessions::OfToken(token.hash)).or_else(by_key);
        return all.filter(|_| everywhere);
    };
    let one = EndedSessions::One(session.token.hash());
    Some(match &session.origin {
        _ if !everywhere => one,
        SessionOrigin::Person { id, .. } => EndedSessions::OfPerson(*id),
        SessionOrigin::ApiKey(id) => EndedSessions::OfApiKey(*id),
        SessionOrigin::Token { hash, .. } => EndedSessions::OfToken(*hash),
        SessionOrigin::Link => EndedSessions::OfLinks,
    })
}

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(get, delete))
}
