//! Whose events somebody watches.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::domain::id::{ApplicationId, EndpointId, EnvironmentId};

/// Whose events they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// All of an environment's.
    Environment(EnvironmentId),
    /// An application's.
    Application(ApplicationId),
    /// An endpoint's.
    Endpoint(EndpointId),
}

/// A text that is no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the id of an environment, an application or an endpoint")]
pub struct InvalidScope;

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(id) => id.fmt(f),
            Self::Application(id) => id.fmt(f),
            Self::Endpoint(id) => id.fmt(f),
        }
    }
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let environment = || text.parse().map(Self::Environment).ok();
        let application = || text.parse().map(Self::Application).ok();
        let endpoint = || text.parse().map(Self::Endpoint).ok();
        environment().or_else(application).or_else(endpoint).ok_or(InvalidScope)
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_as_it_is_written() {
        for scope in [
            Scope::Environment("org_a".parse().unwrap()),
            Scope::Application(ApplicationId::generate()),
            Scope::Endpoint(EndpointId::generate()),
        ] {
            assert_eq!(scope.to_string().parse(), Ok(scope));
        }
        assert_eq!("msg_01h455vb4pex5vsknk084sn02q".parse::<Scope>(), Err(InvalidScope));
    }
}
