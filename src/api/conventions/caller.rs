//! The caller, as handlers get it: identified once a request, and allowed what the operation needs. Who is known is told
//! of parameters that the operation does not have.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath};
use http::request::Parts;
use http::{Request, header};

use crate::api::credential::{Caller, ENVIRONMENT_HEADER, asked_environment, has_basic};
use crate::api::intake::connection::CallerConnection;
use crate::api::state::SharedState;
use crate::domain::access::capability;

use super::bounds::known_names::QueryNames;
use super::environment::named_environment;
use crate::api::caller_address::address_of;
use crate::api::error::ApiError;

impl Caller {
    /// The one who sent the request: identified the first time that it is asked for.
    ///
    /// # Errors
    /// [`ApiError::Unauthenticated`], [`ApiError::Forbidden`] when the credential does not allow the operation, or
    /// [`ApiError::Invalid`] for a parameter in the query that it does not have, or an environment that can be none.
    pub(in crate::api) async fn identified<'a>(
        parts: &'a mut Parts,
        state: &SharedState,
    ) -> Result<&'a Self, ApiError> {
        if parts.extensions.get::<Self>().is_none() {
            let caller = identify(parts, state).await?;
            parts.extensions.insert(caller);
        }
        parts.extensions.get().ok_or(ApiError::Internal)
    }
}

/// A request's credential, for an answer that goes on for long.
pub(in crate::api) struct Standing {
    parts: Parts,
}

impl Standing {
    /// The credential of a request.
    pub(in crate::api) fn of(parts: &Parts) -> Self {
        let mut copy = Request::new(()).into_parts().0;
        copy.method = parts.method.clone();
        copy.uri = parts.uri.clone();
        copy.headers = parts.headers.clone();
        copy.extensions.extend(parts.extensions.clone());
        copy.extensions.remove::<Caller>();
        Self { parts: copy }
    }

    /// Whether it holds. While that cannot be asked, it does.
    pub(in crate::api) async fn holds(&self, state: &SharedState) -> bool {
        let identified = identify(&self.parts, state).await;
        !matches!(identified, Err(ApiError::Unauthenticated(_) | ApiError::Forbidden))
    }
}

async fn identify(parts: &Parts, state: &SharedState) -> Result<Caller, ApiError> {
    let caller = by_credential(parts, state).await?;
    if let Some(connection) = parts.extensions.get::<Arc<CallerConnection>>() {
        connection.note_known(caller.own_application());
    }
    let caller = caller.at(address_of(parts, &state.trusted_proxies));
    let path = parts.extensions.get::<MatchedPath>().map_or(parts.uri.path(), MatchedPath::as_str);
    caller.require(capability::need(parts.method.as_str(), path))?;
    if let Some(names) = parts.extensions.get::<Arc<QueryNames>>() {
        names.check(parts)?;
        if let Some(asked) = asked_environment(&parts.headers).filter(|_| names.describes(parts)) {
            named_environment("header", ENVIRONMENT_HEADER, asked)?;
        }
    }
    let only_reads = parts.method.is_safe();
    state.authenticator.create_environment(&caller, only_reads, &state.configuration).await?;
    Ok(caller)
}

/// By the bearer credential, or else by the cookie of a session.
async fn by_credential(parts: &Parts, state: &SharedState) -> Result<Caller, ApiError> {
    let has_own = parts.headers.contains_key(header::AUTHORIZATION) && !has_basic(&parts.headers);
    let Some(session) = state.cookies.session_token(&parts.headers).filter(|_| !has_own) else {
        return state.authenticator.identify(&state.credentials, &parts.headers).await;
    };
    let people = state.openid.as_ref().map(|openid| openid.authority());
    let asked = asked_environment(&parts.headers);
    let identified =
        state.authenticator.identify_session(&state.credentials, session.clone(), asked, people).await?;
    state.cookies.check_csrf(parts, &session)?;
    Ok(identified)
}

impl FromRequestParts<SharedState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &SharedState) -> Result<Self, ApiError> {
        Self::identified(parts, state).await.cloned()
    }
}
