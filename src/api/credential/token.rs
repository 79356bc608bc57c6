//! Signed tokens (RFC 7519): what they are verified with, and what our own are signed with.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use moka::sync::Cache;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::api::error::ApiError;
use crate::domain::access::claims::{Claims, RequiredClaims};
use crate::domain::access::token_cutoff::TokenHash;
use crate::domain::main_secret::MainSecrets;

/// Clocks may differ by this much.
const LEEWAY_SECONDS: i64 = 60;
/// A token is issued this far in the future at most: one that is taken back goes by when it was issued.
pub(in crate::api::credential) const ISSUE_LEEWAY_SECONDS: i64 = 5;

/// So much text of tokens that were verified is kept.
const KEPT_BYTES: u64 = 4 << 20;

/// Names our own key in a token's header, where others sign with a private key that we do not have.
const OWN_KEY: &str = "postrider";

/// What tokens are verified with.
pub enum TokenKey {
    /// HS256 under this secret.
    Hs256(Vec<u8>),
    /// RS256 with this public key, PEM.
    Rs256(Vec<u8>),
    /// EdDSA with this ed25519 public key, PEM.
    EdDsa(Vec<u8>),
}

/// The key for tokens cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the key that verifies tokens cannot be read")]
pub struct InvalidTokenKey(#[from] jsonwebtoken::errors::Error);

struct Key {
    decoding: DecodingKey,
    validation: Validation,
}

impl Key {
    fn new(decoding: DecodingKey, algorithm: Algorithm, required: &RequiredClaims) -> Self {
        let mut validation = Validation::new(algorithm);
        // Times are checked below, by our own clock.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        if let Some(audience) = &required.audience {
            validation.validate_aud = true;
            validation.set_audience(&[audience]);
            validation.required_spec_claims.insert("aud".to_owned());
        }
        if let Some(issuer) = &required.issuer {
            validation.set_issuer(&[issuer]);
            validation.required_spec_claims.insert("iss".to_owned());
        }
        Self { decoding, validation }
    }
}

/// Verifies tokens and signs our own.
pub(in crate::api::credential) struct Tokens {
    given: Key,
    /// They verify what we signed, where the given key cannot sign: one for each main secret.
    own: Vec<Key>,
    /// The given key, or one for each main secret.
    signing: Vec<EncodingKey>,
    secrets: MainSecrets,
    header: Header,
    required: RequiredClaims,
    /// Those whose signature held: it always will, so it is not looked at again.
    verified: Cache<String, Arc<Verified>>,
}

/// A token whose signature holds.
pub(in crate::api::credential) struct Verified {
    /// What it says.
    pub(in crate::api::credential) claims: Claims,
    /// Its hash.
    pub(in crate::api::credential) hash: TokenHash,
}

impl Tokens {
    pub(in crate::api::credential) fn new(
        key: &TokenKey,
        required: RequiredClaims,
        secrets: &MainSecrets,
    ) -> Result<Self, InvalidTokenKey> {
        let secrets = secrets.clone();
        let (decoding, algorithm) = match key {
            TokenKey::Hs256(secret) => (DecodingKey::from_secret(secret), Algorithm::HS256),
            TokenKey::Rs256(pem) => (DecodingKey::from_rsa_pem(pem)?, Algorithm::RS256),
            TokenKey::EdDsa(pem) => (DecodingKey::from_ed_pem(pem)?, Algorithm::EdDSA),
        };
        let given = Key::new(decoding, algorithm, &required);
        let verified = Cache::builder()
            .weigher(|token: &String, _| u32::try_from(token.len()).unwrap_or(u32::MAX))
            .max_capacity(KEPT_BYTES)
            .build();
        if let TokenKey::Hs256(secret) = key {
            let signing = vec![EncodingKey::from_secret(secret)];
            let header = Header::new(Algorithm::HS256);
            return Ok(Self { given, own: Vec::new(), signing, secrets, header, required, verified });
        }
        let derived = secrets.derive(b"postrider tokens 1\0");
        let own_key = |key: &[u8; 32]| Key::new(DecodingKey::from_secret(key), Algorithm::HS256, &required);
        let own = derived.iter().map(own_key).collect();
        let header = Header { kid: Some(OWN_KEY.to_owned()), ..Header::new(Algorithm::HS256) };
        let signing = derived.iter().map(|key| EncodingKey::from_secret(key)).collect();
        Ok(Self { given, own, signing, secrets, header, required, verified })
    }

    /// A token that holds now.
    pub(in crate::api::credential) fn verify(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Arc<Verified>, ApiError> {
        let verified = match self.verified.get(token) {
            Some(verified) => verified,
            None => {
                let verified = Arc::new(self.verify_signature(token)?);
                self.verified.insert(token.to_owned(), verified.clone());
                verified
            }
        };
        check_times(&verified.claims, now)?;
        Ok(verified)
    }

    fn verify_signature(&self, token: &str) -> Result<Verified, ApiError> {
        let refused = |_| ApiError::Unauthenticated("The token is not valid.");
        let header = jsonwebtoken::decode_header(token).map_err(refused)?;
        if has_critical_extensions(token) {
            return Err(ApiError::Unauthenticated("The token asks for an extension that is not known here."));
        }
        // Each key has one algorithm, so a token cannot choose how it is verified.
        let is_own = !self.own.is_empty() && header.kid.as_deref() == Some(OWN_KEY);
        let keys = if is_own { self.own.as_slice() } else { std::slice::from_ref(&self.given) };
        let decode = |key: &Key| jsonwebtoken::decode::<Claims>(token, &key.decoding, &key.validation).ok();
        let claims = keys.iter().find_map(decode).map(|token| token.claims);
        let claims = claims.ok_or(ApiError::Unauthenticated("The token is not valid."))?;
        Ok(Verified { claims, hash: hash_of(token) })
    }

    pub(in crate::api::credential) fn sign(&self, claims: &Claims) -> Result<String, ApiError> {
        // One key of the operator's signs, whichever main secret is in use.
        let key = self.signing.get(self.secrets.current()).or_else(|| self.signing.first());
        let key = key.ok_or(ApiError::Internal)?;
        jsonwebtoken::encode(&self.header, &self.required.along_with(claims), key).map_err(|error| {
            tracing::error!(%error, "a token could not be signed");
            ApiError::Internal
        })
    }
}

/// Whether the header names extensions that must be understood (RFC 7515, section 4.1.11). We know none.
fn has_critical_extensions(token: &str) -> bool {
    let header = token.split('.').next().unwrap_or_default();
    let fields =
        URL_SAFE_NO_PAD.decode(header).ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    fields.is_none_or(|fields| fields.get("crit").is_some())
}

/// Of the part that the signature covers: of the signature itself there may be more than one spelling.
fn hash_of(token: &str) -> TokenHash {
    Sha256::digest(token.rsplit_once('.').map_or(token, |(signed, _)| signed)).into()
}

fn check_times(claims: &Claims, now: DateTime<Utc>) -> Result<(), ApiError> {
    let now = now.timestamp();
    if claims.exp.is_some_and(|exp| now >= exp.saturating_add(LEEWAY_SECONDS)) {
        return Err(ApiError::Unauthenticated("The token has expired."));
    }
    let begins = claims.nbf.map_or(i64::MIN, |begin| begin.saturating_sub(LEEWAY_SECONDS));
    if now < begins.max(claims.iat.saturating_sub(ISSUE_LEEWAY_SECONDS)) {
        return Err(ApiError::Unauthenticated("The token is not valid yet."));
    }
    Ok(())
}
