//! What a token says. `cli/` mints tokens and `api/` verifies them; this is what they share.

use serde::{Deserialize, Serialize};

/// The subject of an operator's token.
pub const OPERATOR_SUBJECT: &str = "operator";

/// The claims of a Postrider token (RFC 7519). Who it speaks for follows from `sub`: `org_…` is an environment,
/// `app_…` one application of the environment in `org`, `operator` all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// `org_…`, `app_…` or `operator`.
    pub sub: String,
    /// The environment of an application's token; for an operator, the environment it acts in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    /// Issued at, in seconds since 1970.
    pub iat: i64,
    /// Not valid before, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Not valid from then on, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// An id of the token itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
}
