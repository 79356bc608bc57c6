//! The claims of a token. `cli/` mints tokens and `api/` verifies them; this is what they share.

use serde::{Deserialize, Serialize};

/// The subject of an operator's token.
pub const OPERATOR_SUBJECT: &str = "operator";

/// Claims that every token must have, if the operator has set them.
#[derive(Debug, Clone, Default)]
pub struct RequiredClaims {
    /// Whom it is for (`aud`).
    pub audience: Option<String>,
    /// Who issued it (`iss`).
    pub issuer: Option<String>,
}

/// Claims as we sign them, with those that are required.
#[derive(Debug, Serialize)]
pub struct SignedClaims<'a> {
    #[serde(flatten)]
    claims: &'a Claims,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
}

impl RequiredClaims {
    /// These claims together with the required ones.
    pub fn along_with<'a>(&'a self, claims: &'a Claims) -> SignedClaims<'a> {
        SignedClaims { claims, aud: self.audience.as_deref(), iss: self.issuer.as_deref() }
    }
}

/// The claims of a Postrider token (RFC 7519). Who it speaks for follows from `sub`: `org_…` is an environment,
/// `app_…` one application of the environment in `org`, `operator` all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// What an application's token allows; everything that is its own when nothing is said. Unknown names are
    /// passed over.
    #[serde(default, rename = "cap", skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<String>>,
    /// The flags of features that an application's token shows.
    #[serde(default, rename = "ff", skip_serializing_if = "Option::is_none")]
    pub feature_flags: Option<Vec<String>>,
    /// The session that the token was issued for.
    #[serde(default, rename = "sid", skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}
