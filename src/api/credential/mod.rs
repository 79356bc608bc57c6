//! Who is calling. A bearer credential is verified here, and a [`Caller`] comes out: a role, an environment, for a
//! tenant the one application, and what the credential allows.
//!
//! A signed token is verified by itself; a tenant's is looked up besides among those that were taken back. An API
//! key is looked up by its hash. Both go by a cache (`store::Credentials`), so the hot path asks no database.

mod caller;
mod token;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, header};

use crate::domain::access::api_key::ApiKey;
use crate::domain::access::claims::{Claims, RequiredClaims};
use crate::domain::clock::Clock;
use crate::domain::id::EnvironmentId;
use crate::store::{ConfigurationStore, Credentials};

use super::error::ApiError;
use token::Tokens;

pub use crate::domain::access::actor::Role;
pub use caller::Caller;
pub use token::InvalidTokenKey;
pub use token::TokenKey;

/// The header by which an operator chooses an environment.
pub const ENVIRONMENT_HEADER: &str = "postrider-environment";

/// So many environments are remembered as created.
const REMEMBERED_ENVIRONMENTS: usize = 10_000;

/// Verifies credentials. Cheap to clone.
#[derive(Clone)]
pub struct Authenticator(Arc<Inner>);

struct Inner {
    tokens: Tokens,
    clock: Clock,
    created: Mutex<HashSet<EnvironmentId>>,
}

impl Authenticator {
    /// Verifies with that key, by that clock. Where the key cannot sign, Postrider's own tokens are signed with a key
    /// that is derived from the main secret.
    ///
    /// # Errors
    /// [`InvalidTokenKey`] when a public key is not the PEM that it should be.
    pub fn new(
        key: &TokenKey,
        required: RequiredClaims,
        main_secret: &[u8],
        clock: Clock,
    ) -> Result<Self, InvalidTokenKey> {
        let tokens = Tokens::new(key, required, main_secret)?;
        Ok(Self(Arc::new(Inner { tokens, clock, created: Mutex::default() })))
    }

    /// Verifies the bearer credential in `headers`.
    ///
    /// # Errors
    /// [`ApiError::Unauthenticated`] unless it is there and holds.
    pub async fn identify(&self, credentials: &Credentials, headers: &HeaderMap) -> Result<Caller, ApiError> {
        let text = bearer(headers)?;
        let now = self.0.clock.now();
        if ApiKey::is_meant_by(text) {
            let refused = || ApiError::Unauthenticated("The API key is not valid.");
            let key = ApiKey::parse(text).ok_or_else(refused)?;
            let known = credentials.key(&key.hash(), now).await?.ok_or_else(refused)?;
            let caller = Caller::of_key(&known, asked_environment(headers))?;
            if let Some(application) = caller.own_application()
                && credentials.taken_back(application).await?.application_is_gone
            {
                return Err(ApiError::Unauthenticated("The API key is not valid."));
            }
            return Ok(caller);
        }
        let caller = self.verify(headers)?;
        if let (Some(application), Some(token)) = (caller.own_application(), caller.token()) {
            let taken_back = credentials.taken_back(application).await?;
            if taken_back.covers(&token.hash, token.issued_at, token.session_id.as_deref(), now) {
                return Err(ApiError::Unauthenticated("The token was taken back."));
            }
        }
        Ok(caller)
    }

    /// Verifies a signed token by itself.
    fn verify(&self, headers: &HeaderMap) -> Result<Caller, ApiError> {
        let token = self.0.tokens.verify(bearer(headers)?, self.0.clock.now())?;
        Caller::of_token(&token.claims, token.hash, asked_environment(headers))
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

    /// Creates the caller's environment, unless it is known to be there.
    pub(in crate::api) async fn create_environment(
        &self,
        caller: &Caller,
        configuration: &ConfigurationStore,
    ) -> Result<(), ApiError> {
        let Some(environment) = caller.environment_to_create() else { return Ok(()) };
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

fn bearer(headers: &HeaderMap) -> Result<&str, ApiError> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let credential = value.and_then(|value| value.split_once(' '));
    credential
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, credential)| credential.trim())
        .ok_or(ApiError::Unauthenticated("A bearer token is needed."))
}

/// The environment that an operator names in a header.
fn asked_environment(headers: &HeaderMap) -> Option<&str> {
    headers.get(ENVIRONMENT_HEADER).map(|value| value.to_str().unwrap_or_default())
}

#[cfg(test)]
mod tests;
