//! The caller, as handlers get it: identified once a request, and allowed what the operation needs.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath};
use http::request::Parts;

use crate::api::credential::Caller;
use crate::api::intake::connection::CallerConnection;
use crate::api::state::SharedState;
use crate::domain::access::capability;

use super::address::address_of;
use super::error::ApiError;

impl FromRequestParts<SharedState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &SharedState) -> Result<Self, ApiError> {
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(caller.clone());
        }
        let caller = state.authenticator.identify(&state.credentials, &parts.headers).await?;
        if let Some(connection) = parts.extensions.get::<Arc<CallerConnection>>() {
            connection.note_known();
        }
        let caller = caller.at(address_of(parts, &state.trusted_proxies));
        let path = parts.extensions.get::<MatchedPath>().map_or(parts.uri.path(), MatchedPath::as_str);
        caller.require(capability::need(parts.method.as_str(), path))?;
        state.authenticator.create_environment(&caller, &state.configuration).await?;
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}
