//! What a browser keeps for us while somebody is at the identity provider: a cookie that only we can read or make.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::api::credential::cookie::Cookie;
use crate::api::error::ApiError;
use crate::api::state::ApiState;
use crate::openid::Flow;

/// It is sent to the place that a provider sends people back to, and nowhere else.
const FLOW: Cookie = Cookie { name: "postrider_oidc", place: "api/v1/session/oidc/" };
const SIGN_IN_TIMEOUT: TimeDelta = TimeDelta::minutes(10);
/// What it is sealed for.
const PLACE: &[u8] = b"postrider oidc 1";

/// A sign-in that is under way.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptFlow {
    pub(super) flow: Flow,
    /// A URL below the public one.
    pub(super) return_to: String,
    /// In seconds since 1970.
    ends_at: i64,
}

impl KeptFlow {
    /// A new one.
    pub(super) fn begin(state: &ApiState, return_to: &Url) -> Self {
        let ends_at = (state.authenticator.clock().now() + SIGN_IN_TIMEOUT).timestamp();
        Self { flow: Flow::generate(), return_to: return_to.to_string(), ends_at }
    }

    /// The cookie that keeps it.
    pub(super) fn cookie(&self, state: &ApiState) -> Result<HeaderValue, ApiError> {
        let text = serde_json::to_vec(self).map_err(|_| ApiError::Internal)?;
        let sealed = URL_SAFE_NO_PAD.encode(state.sealer.seal(&text, PLACE)?);
        Ok(state.cookies.set(FLOW, &sealed, SIGN_IN_TIMEOUT, false))
    }

    /// The one that this browser began, unless it took too long.
    pub(super) fn of(headers: &HeaderMap, state: &ApiState) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(state.cookies.value_of(headers, FLOW)?).ok()?;
        let kept: Self = serde_json::from_slice(&state.sealer.open(&sealed, PLACE).ok()?).ok()?;
        (state.authenticator.clock().now().timestamp() < kept.ends_at).then_some(kept)
    }
}

/// Takes the cookie away.
pub(super) fn forgotten(state: &ApiState) -> HeaderValue {
    state.cookies.clear(FLOW)
}
