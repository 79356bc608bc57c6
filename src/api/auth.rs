//! Who is calling. A bearer token is verified here, and a [`Caller`] comes out: a role, an environment, and for
//! a tenant the one application. Nothing of it asks the database, except that an environment is created when
//! its token is first seen.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRequestParts;
use chrono::{DateTime, Utc};
use http::request::Parts;
use http::{HeaderMap, header};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};

use crate::domain::actor::{Actor, ActorKind};
use crate::domain::claims::{Claims, OPERATOR_SUBJECT};
use crate::domain::clock::Clock;
use crate::domain::id::{ApplicationId, EnvironmentId};
use crate::domain::reference::Reference;

use super::address::address_of;
use super::error::ApiError;
use super::state::{ApiState, SharedState};

pub use crate::domain::actor::Role;

/// The header by which an operator chooses an environment.
pub const ENVIRONMENT_HEADER: &str = "postrider-environment";

/// Clocks may differ by this much.
const LEEWAY_SECONDS: i64 = 60;

/// So many environments are remembered as created.
const REMEMBERED_ENVIRONMENTS: usize = 10_000;

/// What tokens are verified with.
pub enum TokenKey {
    /// HS256 under this secret.
    Hs256(Vec<u8>),
    /// RS256 with this public key, PEM.
    Rs256(Vec<u8>),
    /// EdDSA with this ed25519 public key, PEM.
    EdDsa(Vec<u8>),
}

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// What they may do.
    pub role: Role,
    environment: Option<EnvironmentId>,
    application: Option<ApplicationId>,
    actor: Actor,
}

/// The key for tokens cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the key that verifies tokens cannot be read")]
pub struct InvalidTokenKey(#[from] jsonwebtoken::errors::Error);

/// Verifies tokens. Cheap to clone.
#[derive(Clone)]
pub struct Authenticator(Arc<Inner>);

struct Inner {
    key: DecodingKey,
    validation: Validation,
    clock: Clock,
    created: Mutex<HashSet<EnvironmentId>>,
}

impl Authenticator {
    /// Verifies with that key, by that clock.
    ///
    /// # Errors
    /// [`InvalidTokenKey`] when a public key is not the PEM that it should be.
    pub fn new(key: &TokenKey, clock: Clock) -> Result<Self, InvalidTokenKey> {
        let (key, algorithm) = match key {
            TokenKey::Hs256(secret) => (DecodingKey::from_secret(secret), Algorithm::HS256),
            TokenKey::Rs256(pem) => (DecodingKey::from_rsa_pem(pem)?, Algorithm::RS256),
            TokenKey::EdDsa(pem) => (DecodingKey::from_ed_pem(pem)?, Algorithm::EdDSA),
        };
        let mut validation = Validation::new(algorithm);
        // Times are checked below, by our own clock; audiences are not ours to judge.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        Ok(Self(Arc::new(Inner { key, validation, clock, created: Mutex::default() })))
    }

    /// Verifies the bearer token in `headers`.
    ///
    /// # Errors
    /// [`ApiError::Unauthenticated`] unless the token is there and holds.
    pub fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, ApiError> {
        let token = bearer(headers).ok_or(ApiError::Unauthenticated("A bearer token is needed."))?;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.0.key, &self.0.validation)
            .map_err(|_| ApiError::Unauthenticated("The token is not valid."))?
            .claims;
        check_times(&claims, self.0.clock.now())?;
        let asked = headers.get(ENVIRONMENT_HEADER).map(|value| value.to_str().unwrap_or_default());
        caller_of(&claims, asked)
    }

    /// Creates the caller's environment, unless it is known to be there.
    async fn create_environment(&self, caller: &Caller, state: &ApiState) -> Result<(), ApiError> {
        let Some(environment) = caller.environment.as_ref().filter(|_| caller.role != Role::Application)
        else {
            return Ok(());
        };
        if self.created().contains(environment) {
            return Ok(());
        }
        state.store.create_environment(&caller.actor, environment).await?;
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

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn check_times(claims: &Claims, now: DateTime<Utc>) -> Result<(), ApiError> {
    let now = now.timestamp();
    if claims.exp.is_some_and(|exp| now >= exp.saturating_add(LEEWAY_SECONDS)) {
        return Err(ApiError::Unauthenticated("The token has expired."));
    }
    let begins = claims.iat.max(claims.nbf.unwrap_or(i64::MIN));
    if now < begins.saturating_sub(LEEWAY_SECONDS) {
        return Err(ApiError::Unauthenticated("The token is not valid yet."));
    }
    Ok(())
}

/// `asked` is the environment in an operator's header.
fn caller_of(claims: &Claims, asked: Option<&str>) -> Result<Caller, ApiError> {
    let unknown = || ApiError::Unauthenticated("The token's claims name nobody that is known here.");
    let environment = |text: &str| text.parse::<EnvironmentId>().map_err(|_| unknown());
    let caller = |role, environment, application| Caller {
        role,
        environment,
        application,
        actor: Actor {
            kind: ActorKind::Token,
            id: claims.jti.clone().unwrap_or_else(|| claims.sub.clone()),
            role: Some(role),
            address: None,
        },
    };
    if claims.sub == OPERATOR_SUBJECT {
        let asked = asked.map(|text| {
            text.parse::<EnvironmentId>().map_err(|_| {
                ApiError::invalid(
                    &["header", ENVIRONMENT_HEADER],
                    "is not an environment's id",
                    "value_error",
                )
            })
        });
        let claimed = claims.org.as_deref().map(environment);
        let environment = asked.or(claimed).transpose()?;
        return Ok(caller(Role::Operator, environment, None));
    }
    if let Ok(application) = claims.sub.parse::<ApplicationId>() {
        let environment = Some(environment(claims.org.as_deref().ok_or_else(unknown)?)?);
        return Ok(caller(Role::Application, environment, Some(application)));
    }
    let environment = Some(environment(&claims.sub)?);
    Ok(caller(Role::Environment, environment, None))
}

impl Caller {
    /// Who the audit log remembers.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The environment that the call is about, for every role.
    ///
    /// # Errors
    /// [`ApiError::EnvironmentRequired`] for an operator who did not say which.
    pub fn environment(&self) -> Result<&EnvironmentId, ApiError> {
        self.environment.as_ref().ok_or(ApiError::EnvironmentRequired)
    }

    /// The environment, for operations that a tenant may not do.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`] for a tenant; otherwise as [`Caller::environment`].
    pub fn whole_environment(&self) -> Result<&EnvironmentId, ApiError> {
        if self.role == Role::Application {
            return Err(ApiError::Forbidden);
        }
        self.environment()
    }

    /// The environment that an operator confines the call to, or none for all of them.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`] for everyone else.
    pub fn operator(&self) -> Result<Option<&EnvironmentId>, ApiError> {
        if self.role == Role::Operator { Ok(self.environment.as_ref()) } else { Err(ApiError::Forbidden) }
    }

    /// The application in a path (an id or a `uid`), if it is there and the caller's to see.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] when it is not there, or another's.
    pub async fn application(&self, state: &ApiState, named: &str) -> Result<ApplicationId, ApiError> {
        let reference = Reference::parse(named);
        let found = state.store.application_id(self.environment()?, &reference).await?;
        found.filter(|id| self.sees(*id)).ok_or(ApiError::NotFound)
    }

    /// Whether an application of the environment is the caller's to see.
    pub fn sees(&self, application: ApplicationId) -> bool {
        self.application.is_none_or(|own| own == application)
    }

    /// The tenant's own application; `None` for the other roles.
    pub fn own_application(&self) -> Option<ApplicationId> {
        self.application
    }

    /// A text that is the same for the same caller, and for nobody else.
    pub fn identity(&self) -> String {
        let environment = self.environment.as_ref().map_or("", EnvironmentId::as_str);
        let application = self.application.map(|id| id.to_string()).unwrap_or_default();
        format!("{:?}|{environment}|{application}", self.role)
    }
}

impl FromRequestParts<SharedState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &SharedState) -> Result<Self, ApiError> {
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(caller.clone());
        }
        let mut caller = state.authenticator.authenticate(&parts.headers)?;
        caller.actor.address = address_of(parts, &state.trusted_proxies);
        state.authenticator.create_environment(&caller, state).await?;
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

#[cfg(test)]
mod tests;
