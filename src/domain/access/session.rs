//! Sessions of the console: what a credential, a link or an identity provider is exchanged for. A session ends some time
//! after its last use, some longer time after it began, and with the credential that it began with.

use chrono::TimeDelta;

use crate::domain::id::{ApiKeyId, EnvironmentId, PersonId};

use super::actor::{ActorKind, Role};
use super::token_cutoff::TokenHash;

/// A session ends so long after its last use.
pub const SESSION_IDLE_TIMEOUT: TimeDelta = TimeDelta::hours(12);
/// A session ends so long after it began.
pub const SESSION_LIFETIME: TimeDelta = TimeDelta::days(30);
/// A person's ends earlier: only by signing in again is their provider asked whether they still have their role.
pub const PERSON_SESSION_LIFETIME: TimeDelta = TimeDelta::hours(24);
/// A link that signs in holds so long.
pub const LINK_LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// How the audit log and people call whoever signed in by a link.
pub const LINK_NAME: &str = "link";

/// The SHA-256 of what vouches for a session: a key that verifies tokens, or an identity provider with its roles.
pub type Authority = [u8; 32];

/// What somebody may do in the console. Tenants have the portal instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsoleRole {
    /// Everything, in all environments.
    Operator,
    /// Everything in one environment.
    Environment(EnvironmentId),
}

impl ConsoleRole {
    /// The same among all roles.
    pub const fn role(&self) -> Role {
        match self {
            Self::Operator => Role::Operator,
            Self::Environment(_) => Role::Environment,
        }
    }

    /// In which environment.
    pub const fn environment(&self) -> Option<&EnvironmentId> {
        match self {
            Self::Operator => None,
            Self::Environment(environment) => Some(environment),
        }
    }

    /// The role of that name in that environment.
    pub fn from_parts(role: &str, environment: Option<&str>) -> Option<Self> {
        match (Role::from_name(role)?, environment) {
            (Role::Operator, None) => Some(Self::Operator),
            (Role::Environment, Some(id)) => id.parse().ok().map(Self::Environment),
            _ => None,
        }
    }
}

/// What a session began with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionOrigin {
    /// An identity provider vouched for a person.
    Person {
        /// Who.
        id: PersonId,
        /// What vouched for them.
        authority: Authority,
    },
    /// An API key.
    ApiKey(ApiKeyId),
    /// A signed token.
    Token {
        /// Its hash.
        hash: TokenHash,
        /// What verified it.
        authority: Authority,
    },
    /// A link that signs in once.
    Link,
}

impl SessionOrigin {
    /// How the one who signed in proved who they are.
    pub const fn kind(&self) -> ActorKind {
        match self {
            Self::Person { .. } => ActorKind::Person,
            Self::ApiKey(_) => ActorKind::ApiKey,
            Self::Token { .. } => ActorKind::Token,
            Self::Link => ActorKind::Link,
        }
    }

    /// What vouches for it, if it holds only as long as the settings say the same.
    pub const fn authority(&self) -> Option<&Authority> {
        match self {
            Self::Person { authority, .. } | Self::Token { authority, .. } => Some(authority),
            Self::ApiKey(_) | Self::Link => None,
        }
    }
}
