//! ID tokens (OpenID Connect Core 1.0, section 3.1.3.7): signed by the provider, for us, for this flow, and in time.

use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde_json::{Map, Value};

use super::OpenIdError;

/// Clocks may differ by this much.
const LEEWAY_SECONDS: i64 = 60;

/// What a token must say.
pub(super) struct Wanted<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: DateTime<Utc>,
}

/// Only those whose public key the provider can publish: a token must not be verified with something that others know.
const fn is_asymmetric(algorithm: Algorithm) -> bool {
    !matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)
}

/// The provider's key that the token names, or, when it names none, the only one that there is.
pub(super) fn key_of<'a>(header: &Header, keys: &'a [Jwk]) -> Option<&'a Jwk> {
    let mut signing = keys
        .iter()
        .filter(|key| key.common.public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature));
    match &header.kid {
        Some(kid) => signing.find(|key| key.common.key_id.as_ref() == Some(kid)),
        None => signing.next().filter(|_| signing.next().is_none()),
    }
}

/// The claims of a token that holds.
pub(super) fn claims(
    token: &str,
    header: &Header,
    key: &Jwk,
    wanted: &Wanted<'_>,
) -> Result<Map<String, Value>, OpenIdError> {
    let refused = |why| Err(OpenIdError::NotAccepted(why));
    if !is_asymmetric(header.alg) {
        return refused("the ID token's algorithm is a symmetric one");
    }
    if key.common.key_algorithm.is_some_and(|own| own.to_string().parse() != Ok(header.alg)) {
        return refused("the ID token's algorithm is not that of its key");
    }
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[wanted.issuer]);
    validation.set_audience(&[wanted.client_id]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // Times are checked below, by our own clock.
    validation.validate_exp = false;
    let claims =
        jsonwebtoken::decode::<Map<String, Value>>(token, &DecodingKey::from_jwk(key)?, &validation)?.claims;
    let number = |name: &str| claims.get(name).and_then(Value::as_f64);
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("nonce") != Some(wanted.nonce) {
        return refused("the ID token was made for another sign-in");
    }
    let several = claims.get("aud").and_then(Value::as_array).is_some_and(|all| all.len() > 1);
    if text("azp").is_some_and(|party| party != wanted.client_id) || (several && text("azp").is_none()) {
        return refused("the ID token was made for another client");
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact")]
    let (now, leeway) = (wanted.now.timestamp() as f64, LEEWAY_SECONDS as f64);
    if number("exp").is_none_or(|end| now >= end + leeway) {
        return Err(OpenIdError::Expired);
    }
    if number("iat").is_none_or(|begin| begin > now + leeway) {
        return refused("the ID token was not issued yet");
    }
    Ok(claims)
}
