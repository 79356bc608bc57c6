//! The one who calls, and what is theirs.

use std::net::IpAddr;

use chrono::{DateTime, Utc};

use crate::api::error::ApiError;
use crate::domain::access::actor::{Actor, ActorKind};
use crate::domain::access::capability::{Capability, Need};
use crate::domain::access::claims::{Claims, OPERATOR_SUBJECT};
use crate::domain::access::opaque_token::OpaqueToken;
use crate::domain::access::session::{ConsoleRole, SessionOrigin};
use crate::domain::access::token_cutoff::{SESSION_TOKEN_LIFETIME, TokenHash};
use crate::domain::endpoint::target_url;
use crate::domain::id::reference::Reference;
use crate::domain::id::{ApplicationId, EnvironmentId, TokenId};
use crate::store::{ConfigurationStore, KeyScope, KnownKey, KnownSession};

use super::token::ISSUE_LEEWAY_SECONDS;
use super::{ENVIRONMENT_HEADER, Role};

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// What they may do.
    pub role: Role,
    environment: Option<EnvironmentId>,
    application: Option<ApplicationId>,
    /// What a tenant's token allows; `None` for everything.
    capabilities: Option<Vec<Capability>>,
    feature_flags: Option<Vec<String>>,
    expires_at: Option<DateTime<Utc>>,
    token: Option<PresentedToken>,
    session: Option<CallerSession>,
    actor: Actor,
}

/// The token that was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentedToken {
    /// Its hash.
    pub hash: TokenHash,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// The session that it was issued for.
    pub session_id: Option<String>,
}

impl PresentedToken {
    /// When one that was issued for a session ends, whatever it says itself.
    fn ends_with_session(&self) -> Option<DateTime<Utc>> {
        self.session_id.as_ref().map(|_| self.issued_at + SESSION_TOKEN_LIFETIME)
    }
}

/// The session of the console that a caller came by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerSession {
    /// What its cookie holds.
    pub token: OpaqueToken,
    /// What it began with.
    pub origin: SessionOrigin,
    /// For people.
    pub name: String,
}

impl Caller {
    /// Whom the claims of a token name. `asked` is the environment in an operator's header.
    pub(in crate::api) fn of_token(
        claims: &Claims,
        hash: TokenHash,
        asked: Option<&str>,
    ) -> Result<Self, ApiError> {
        let scope = scope_of(claims)?;
        let token = PresentedToken {
            hash,
            issued_at: issued_at(claims),
            session_id: claims.session_id.clone().filter(|_| matches!(scope, KeyScope::Application(..))),
        };
        let id = claims.jti.clone().unwrap_or_else(|| claims.sub.clone());
        let claimed = claims.org.as_deref().filter(|_| scope == KeyScope::Operator);
        let mut caller = Self::of_scope(&scope, asked.or(claimed), ActorKind::Token, id)?;
        if caller.role == Role::Application {
            let known =
                |names: &Vec<String>| names.iter().filter_map(|name| Capability::from_name(name)).collect();
            caller.capabilities = claims.capabilities.as_ref().map(known);
            caller.feature_flags.clone_from(&claims.feature_flags);
        }
        let said = claims.exp.and_then(|exp| DateTime::from_timestamp(exp, 0));
        caller.expires_at = said.into_iter().chain(token.ends_with_session()).min();
        caller.token = Some(token);
        Ok(caller)
    }

    /// Whom a key speaks for. `asked` is the environment in an operator's header.
    pub(in crate::api) fn of_key(key: &KnownKey, asked: Option<&str>) -> Result<Self, ApiError> {
        let mut caller = Self::of_scope(&key.scope, asked, ActorKind::ApiKey, key.id.to_string())?;
        caller.expires_at = key.expires_at;
        Ok(caller)
    }

    /// Whom a session speaks for. `asked` is the environment in an operator's header.
    pub(in crate::api) fn of_session(
        token: OpaqueToken,
        known: &KnownSession,
        asked: Option<&str>,
    ) -> Result<Self, ApiError> {
        let record = &known.record;
        let (kind, id) = (record.origin.kind(), record.actor_id.clone());
        let mut caller = Self::of_scope(&record.role.clone().into(), asked, kind, id)?;
        caller.expires_at = Some(known.expires_at());
        caller.actor.session = Some(record.id);
        caller.session =
            Some(CallerSession { token, origin: record.origin.clone(), name: record.name.clone() });
        Ok(caller)
    }

    fn of_scope(
        scope: &KeyScope,
        asked: Option<&str>,
        kind: ActorKind,
        id: String,
    ) -> Result<Self, ApiError> {
        let environment = match scope {
            KeyScope::Operator => asked.map(chosen_environment).transpose()?,
            KeyScope::Environment(own) | KeyScope::Application(own, _) => Some(own.clone()),
        };
        let role = scope.role();
        Ok(Self {
            role,
            environment,
            application: scope.application(),
            capabilities: None,
            feature_flags: None,
            expires_at: None,
            token: None,
            session: None,
            actor: Actor { kind, id, role: Some(role), address: None, session: None },
        })
    }

    /// The same, calling from there.
    pub(in crate::api) fn at(mut self, address: Option<IpAddr>) -> Self {
        self.actor.address = address;
        self
    }

    /// # Errors
    /// [`ApiError::Forbidden`] when the token allows none of these.
    pub(in crate::api) fn require(&self, need: Need) -> Result<(), ApiError> {
        match &self.capabilities {
            Some(given) if !need.iter().any(|needed| given.contains(needed)) => Err(ApiError::Forbidden),
            _ => Ok(()),
        }
    }

    /// The environment that exists from this call on. A tenant's is there already, and an operator who only looks at one that
    /// is not there may have mistyped it.
    pub(in crate::api) fn environment_to_create(&self, only_reads: bool) -> Option<&EnvironmentId> {
        let creates = match self.role {
            Role::Operator => !only_reads,
            Role::Environment => true,
            Role::Application => false,
        };
        self.environment.as_ref().filter(|_| creates)
    }

    /// Who the audit log remembers.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The token that was presented; `None` for an API key and for a session.
    pub fn token(&self) -> Option<&PresentedToken> {
        self.token.as_ref()
    }

    /// Whether its token was issued for a session, and longer ago than one lasts.
    pub(in crate::api) fn outlived_its_session(&self, now: DateTime<Utc>) -> bool {
        self.token.as_ref().and_then(PresentedToken::ends_with_session).is_some_and(|end| now >= end)
    }

    /// The session that the request came by.
    pub fn session(&self) -> Option<&CallerSession> {
        self.session.as_ref()
    }

    /// What the caller may do in the console. An operator's is for all environments, whichever the request names.
    ///
    /// # Errors
    /// [`ApiError::Forbidden`] for a tenant.
    pub fn console_role(&self) -> Result<ConsoleRole, ApiError> {
        match (self.role, &self.environment) {
            (Role::Operator, _) => Ok(ConsoleRole::Operator),
            (Role::Environment, Some(own)) => Ok(ConsoleRole::Environment(own.clone())),
            _ => Err(ApiError::Forbidden),
        }
    }

    /// What a tenant's token allows.
    pub fn capabilities(&self) -> &[Capability] {
        self.capabilities.as_deref().unwrap_or(&Capability::ALL)
    }

    /// Whether it is a tenant.
    pub fn is_tenant(&self) -> bool {
        self.role == Role::Application
    }

    /// Whether what may be a secret of an endpoint is shown: to all but tokens that may not change endpoints.
    pub fn sees_secrets(&self) -> bool {
        self.capabilities.as_ref().is_none_or(|given| given.contains(&Capability::ManageEndpoint))
    }

    /// Whether it may know which secrets an endpoint has.
    pub fn lists_secrets(&self) -> bool {
        use Capability::{ManageEndpoint, ManageEndpointSecret, ViewEndpointSecret};
        let needed = [ViewEndpointSecret, ManageEndpointSecret, ManageEndpoint];
        self.capabilities.as_ref().is_none_or(|given| needed.iter().any(|it| given.contains(it)))
    }

    /// An endpoint's URL as the caller sees it.
    pub fn shown_url(&self, url: String) -> String {
        if self.sees_secrets() { url } else { target_url::without_secrets(&url) }
    }

    /// The flags of features that a tenant's token shows; `None` when it says nothing of them.
    pub fn feature_flags(&self) -> Option<&[String]> {
        self.feature_flags.as_deref()
    }

    /// Whether the credential shows what has these flags.
    pub fn shows(&self, needed: Option<&[String]>) -> bool {
        let needed = needed.unwrap_or_default();
        needed.is_empty()
            || self.feature_flags().is_none_or(|given| needed.iter().any(|flag| given.contains(flag)))
    }

    /// When the credential ends.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.expires_at
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
    /// [`ApiError::NoSuch`] when it is not there, or another's.
    pub async fn application(
        &self,
        configuration: &ConfigurationStore,
        named: &str,
    ) -> Result<ApplicationId, ApiError> {
        let reference = Reference::parse(named);
        let found = configuration.application_id(self.environment()?, &reference).await?;
        found.filter(|id| self.sees(*id)).ok_or(ApiError::NoSuch("application"))
    }

    /// Whether an application of the environment is the caller's to see.
    pub fn sees(&self, application: ApplicationId) -> bool {
        self.application.is_none_or(|own| own == application)
    }

    /// The tenant's own application; `None` for the other roles.
    pub fn own_application(&self) -> Option<ApplicationId> {
        self.application
    }

    /// A text that is the same for the same caller, and for nobody else. What a token does not allow keeps it apart
    /// from others of its tenant.
    pub fn identity(&self) -> String {
        let environment = self.environment.as_ref().map_or("", EnvironmentId::as_str);
        let application = self.application.map(|id| id.to_string()).unwrap_or_default();
        let narrowed = self.capabilities.as_ref().map(|given| format!("|{given:?}")).unwrap_or_default();
        format!("{:?}|{environment}|{application}{narrowed}", self.role)
    }
}

fn scope_of(claims: &Claims) -> Result<KeyScope, ApiError> {
    let unknown = || ApiError::Unauthenticated("The token's claims name nobody that is known here.");
    let environment = |text: &str| text.parse::<EnvironmentId>().map_err(|_| unknown());
    if claims.sub == OPERATOR_SUBJECT {
        claims.org.as_deref().map(environment).transpose()?;
        return Ok(KeyScope::Operator);
    }
    if let Ok(application) = claims.sub.parse::<ApplicationId>() {
        let own = environment(claims.org.as_deref().ok_or_else(unknown)?)?;
        return Ok(KeyScope::Application(own, application));
    }
    Ok(KeyScope::Environment(environment(&claims.sub)?))
}

fn chosen_environment(asked: &str) -> Result<EnvironmentId, ApiError> {
    asked.parse().map_err(|_| {
        ApiError::invalid(&["header", ENVIRONMENT_HEADER], "is not an environment's id", "value_error")
    })
}

/// Our own tokens have their moment of issue in their id, to the millisecond. It is believed within the second that the
/// token itself names: whoever can sign tokens could otherwise write one that cannot be taken back. Others' clocks may be ahead
/// of ours by the leeway, so their tokens count as issued that much before they say.
fn issued_at(claims: &Claims) -> DateTime<Utc> {
    let at_least = claims.iat.saturating_sub(ISSUE_LEEWAY_SECONDS);
    let said = DateTime::from_timestamp(at_least, 0).unwrap_or(DateTime::UNIX_EPOCH);
    let own = claims.jti.as_deref().and_then(|id| id.parse::<TokenId>().ok()).map(TokenId::created_at);
    own.filter(|own| (0..=1).contains(&(own.timestamp() - claims.iat))).unwrap_or(said)
}
