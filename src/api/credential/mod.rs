//! Who is calling. A bearer credential or a session's cookie is verified here, and a [`Caller`] comes out: a role, an
//! environment, for a tenant the one application, and what the credential allows.
//!
//! A signed token is verified by itself; a tenant's is looked up besides among those that were taken back. An API
//! key and a session are looked up by their hash. All go by a cache (`store::Credentials`), so the hot path asks no database.

mod caller;
pub(in crate::api) mod cookie;
pub(in crate::api) mod csrf;
mod token;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, header};
use sha2::{Digest, Sha256};

use crate::domain::access::api_key::ApiKey;
use crate::domain::access::claims::{Claims, RequiredClaims};
use crate::domain::access::opaque_token::OpaqueToken;
use crate::domain::access::session::{Authority, SessionOrigin};
use crate::domain::clock::Clock;
use crate::domain::id::EnvironmentId;
use crate::domain::main_secret::MainSecrets;
use crate::store::{ConfigurationStore, Credentials};

use super::error::ApiError;
use token::Tokens;

pub use crate::domain::access::actor::Role;
pub use caller::{Caller, CallerSession};
pub use cookie::Cookies;
pub use token::InvalidTokenKey;
pub use token::TokenKey;

/// The header by which an operator chooses an environment.
pub const ENVIRONMENT_HEADER: &str = "postrider-environment";

/// Where a credential is exchanged for a session. Of nobody else who has shown none a body is read.
pub(in crate::api) const SIGN_IN_PATH: &str = "/api/v1/session";

/// So many environments are remembered as created.
const REMEMBERED_ENVIRONMENTS: usize = 10_000;

/// Verifies credentials. Cheap to clone.
#[derive(Clone)]
pub struct Authenticator(Arc<Inner>);

struct Inner {
    tokens: Tokens,
    authority: Authority,
    clock: Clock,
    created: Mutex<HashSet<EnvironmentId>>,
}

impl Authenticator {
    /// Verifies with that key, by that clock. Where the key cannot sign, Postrider's own tokens are signed with a key
    /// that is derived from the main secret in use; those of the one before are accepted as well.
    ///
    /// # Errors
    /// [`InvalidTokenKey`] when a public key is not the PEM that it should be.
    pub fn new(
        key: &TokenKey,
        required: RequiredClaims,
        main_secrets: &MainSecrets,
        clock: Clock,
    ) -> Result<Self, InvalidTokenKey> {
        let authority = authority_of(key, &required);
        let tokens = Tokens::new(key, required, main_secrets)?;
        Ok(Self(Arc::new(Inner { tokens, authority, clock, created: Mutex::default() })))
    }

    /// Verifies the bearer credential in `headers`.
    ///
    /// # Errors
    /// [`ApiError::Unauthenticated`] unless it is there and holds.
    pub async fn identify(&self, credentials: &Credentials, headers: &HeaderMap) -> Result<Caller, ApiError> {
        self.identify_text(credentials, bearer(headers)?, asked_environment(headers)).await
    }

    /// Verifies an API key or a token. `asked` is the environment in an operator's header.
    ///
    /// # Errors
    /// [`ApiError::Unauthenticated`] unless it holds.
    pub async fn identify_text(
        &self,
        credentials: &Credentials,
        text: &str,
        asked: Option<&str>,
    ) -> Result<Caller, ApiError> {
        let now = self.0.clock.now();
        if ApiKey::is_meant_by(text) {
            let refused = || ApiError::Unauthenticated("The API key is not valid.");
            let key = ApiKey::parse(text).ok_or_else(refused)?;
            let known = credentials.key(&key.hash(), now).await?.ok_or_else(refused)?;
            let caller = Caller::of_key(&known, asked)?;
            if let Some(application) = caller.own_application()
                && credentials.taken_back(application).await?.application_is_gone()
            {
                return Err(ApiError::Unauthenticated("The API key is not valid."));
            }
            return Ok(caller);
        }
        let caller = self.verify_text(text, asked)?;
        if let (Some(application), Some(token)) = (caller.own_application(), caller.token()) {
            let taken_back = credentials.taken_back(application).await?;
            if taken_back.covers(&token.hash, token.issued_at, token.session_id.as_deref(), now) {
                return Err(ApiError::Unauthenticated("The token was taken back."));
            }
        }
        Ok(caller)
    }

    /// Verifies a session's cookie. `people` is what vouches for people now.
    ///
    /// # Errors
    /// [`ApiError::Unauthenticated`] unless the session is alive.
    pub(in crate::api) async fn identify_session(
        &self,
        credentials: &Credentials,
        token: OpaqueToken,
        asked: Option<&str>,
        people: Option<&Authority>,
    ) -> Result<Caller, ApiError> {
        let ended = || ApiError::Unauthenticated("The session has ended; sign in again.");
        let known = credentials.session(&token.hash(), self.0.clock.now()).await?.ok_or_else(ended)?;
        let is_vouched_for = match &known.record.origin {
            SessionOrigin::Person { authority, .. } => people == Some(authority),
            SessionOrigin::Token { authority, .. } => *authority == self.0.authority,
            SessionOrigin::ApiKey(_) | SessionOrigin::Link => true,
        };
        if is_vouched_for { Caller::of_session(token, &known, asked) } else { Err(ended()) }
    }

    /// What vouches for sessions that begin with a token. It is another one once the key is.
    pub(in crate::api) fn authority(&self) -> Authority {
        self.0.authority
    }

    /// Verifies a signed token by itself.
    fn verify_text(&self, text: &str, asked: Option<&str>) -> Result<Caller, ApiError> {
        let now = self.0.clock.now();
        let token = self.0.tokens.verify(text, now)?;
        let caller = Caller::of_token(&token.claims, token.hash, asked)?;
        if caller.outlived_its_session(now) {
            return Err(ApiError::Unauthenticated("The token has expired."));
        }
        Ok(caller)
    }

    /// Signs a token of our own.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when it cannot be signed, which only a broken key makes so.
    pub fn sign(&self, claims: &Claims) -> Result<String, ApiError> {
        self.0.tokens.sign(claims)
    }

    /// The clock by which tokens expire.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Creates the caller's environment where the call does that, unless it is known to be there.
    pub(in crate::api) async fn create_environment(
        &self,
        caller: &Caller,
        only_reads: bool,
        configuration: &ConfigurationStore,
    ) -> Result<(), ApiError> {
        let Some(environment) = caller.environment_to_create(only_reads) else { return Ok(()) };
        if self.created().contains(environment) {
            return Ok(());
        }
        Box::pin(configuration.create_environment(caller.actor(), environment)).await?;
        let mut created = self.created();
        if created.len() >= REMEMBERED_ENVIRONMENTS {
            created.clear();
        }
        created.insert(environment.clone());
        Ok(())
    }

    fn created(&self) -> std::sync::MutexGuard<'_, HashSet<EnvironmentId>> {
        self.0.created.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key that verifies tokens, and what they must say, as one hash.
fn authority_of(key: &TokenKey, required: &RequiredClaims) -> Authority {
    let (algorithm, bytes) = match key {
        TokenKey::Hs256(secret) => ("HS256", secret),
        TokenKey::Rs256(pem) => ("RS256", pem),
        TokenKey::EdDsa(pem) => ("EdDSA", pem),
    };
    let [audience, issuer] =
        [&required.audience, &required.issuer].map(|claim| claim.as_deref().unwrap_or_default());
    let mut hash = Sha256::new().chain_update("postrider token authority 1");
    for part in [algorithm.as_bytes(), bytes, audience.as_bytes(), issuer.as_bytes()] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn bearer(headers: &HeaderMap) -> Result<&str, ApiError> {
    authorization(headers)
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, credential)| credential.trim())
        .ok_or(ApiError::Unauthenticated("A bearer token is needed."))
}

/// Whether the request has a password for a proxy in front of us, which browsers send along: it says nothing to us.
pub(in crate::api) fn has_basic(headers: &HeaderMap) -> bool {
    authorization(headers).is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
}

fn authorization(headers: &HeaderMap) -> Option<(&str, &str)> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')
}

/// The environment that an operator names in a header.
pub(in crate::api) fn asked_environment(headers: &HeaderMap) -> Option<&str> {
    headers.get(ENVIRONMENT_HEADER).map(|value| value.to_str().unwrap_or_default())
}

#[cfg(test)]
mod tests;
