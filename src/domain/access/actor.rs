//! Who made a change, as the audit log records it.

use std::net::IpAddr;

use crate::domain::id::SessionId;

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything, in all environments.
    Operator,
    /// Everything in one environment.
    Environment,
    /// One tenant's own.
    Application,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Operator, Self::Environment, Self::Application];

    /// Its name in the database and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Environment => "environment",
            Self::Application => "application",
        }
    }

    /// The role of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// How a caller proved who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActorKind {
    /// A signed token.
    Token,
    /// An API key.
    ApiKey,
    /// A person whom an identity provider vouched for.
    Person,
    /// A link that signs in once.
    Link,
    /// A command on a machine that reaches the database.
    Cli,
    /// Postrider itself.
    System,
}

impl ActorKind {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Token, Self::ApiKey, Self::Person, Self::Link, Self::Cli, Self::System];

    /// Its name in the database and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::ApiKey => "api_key",
            Self::Person => "person",
            Self::Link => "link",
            Self::Cli => "cli",
            Self::System => "system",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// How they proved who they are.
    pub kind: ActorKind,
    /// Which of that kind: a token's own id or else its subject, an API key's id, a person's id, `link`, a command, a part
    /// of Postrider.
    pub id: String,
    /// What they may do; nothing for Postrider itself.
    pub role: Option<Role>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// The console's session that the request came by.
    pub session: Option<SessionId>,
}

impl Actor {
    /// Postrider itself; `part` is the part of it that acts.
    pub fn system(part: &str) -> Self {
        Self { kind: ActorKind::System, id: part.to_owned(), role: None, address: None, session: None }
    }

    /// A command that reaches the database without asking a server.
    pub fn cli(command: &str) -> Self {
        let role = Some(Role::Operator);
        Self { kind: ActorKind::Cli, id: command.to_owned(), role, address: None, session: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for role in [Role::Operator, Role::Environment, Role::Application] {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        for kind in ActorKind::ALL {
            assert_eq!(ActorKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!((Role::from_name("Operator"), ActorKind::from_name("")), (None, None));
    }
}
