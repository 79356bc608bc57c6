//! What the views of the console read: rollups by minute, half hour and three hours, gauges, the last look at the queue, how endpoints
//! answer, which processes run, incidents. Nothing here reads messages, deliveries or attempts.

pub(in crate::store) mod catalogue;
pub(in crate::store) mod dead_letter_group;
pub(in crate::store) mod endpoint_state;
pub(in crate::store) mod environment_state;
pub(in crate::store) mod expire;
pub(in crate::store) mod fold;
pub(in crate::store) mod health;
pub(in crate::store) mod incident;
pub(in crate::store) mod presence;
pub(in crate::store) mod queue_total;
pub(in crate::store) mod replay_preview;
pub(in crate::store) mod replay_target;
pub(in crate::store) mod sample;
pub(in crate::store) mod series;
pub(in crate::store) mod usage;
pub(in crate::store) mod who;
pub(in crate::store) mod write;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::id::{ApplicationId, EndpointId, EnvironmentId};

use super::database::pool::Pool;

/// What the views of the console read. Those who write have connections of their own, so that no view keeps them waiting.
#[derive(Clone)]
pub struct RollupStore {
    pub(super) writing: Pool,
    pub(super) reading: Pool,
}

/// Whose counts they are.
#[derive(Debug, Clone, Copy)]
pub enum RollupScope<'a> {
    /// An endpoint's.
    Endpoint(EndpointId),
    /// An application's, all its endpoints together.
    Application(ApplicationId),
    /// An environment's, all its applications together.
    Environment(&'a EnvironmentId),
}

impl RollupScope<'_> {
    /// As it is stored. Ids of environments are texts of the callers', so they are hashed.
    #[must_use]
    pub fn uuid(self) -> Uuid {
        match self {
            Self::Endpoint(id) => id.uuid(),
            Self::Application(id) => id.uuid(),
            Self::Environment(id) => {
                let hash: [u8; 32] = Sha256::digest(id.as_str()).into();
                let mut bytes = [0; 16];
                bytes.iter_mut().zip(hash).for_each(|(byte, hashed)| *byte = hashed);
                Uuid::from_bytes(bytes)
            }
        }
    }
}

/// An endpoint with what people call it.
#[derive(Debug, Clone)]
pub struct NamedEndpoint {
    /// Its application.
    pub application_id: ApplicationId,
    /// The application's name.
    pub application_name: String,
    /// The endpoint.
    pub endpoint_id: EndpointId,
    /// Where it is.
    pub url: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_has_a_scope_of_its_own() {
        let [one, two] = ["org_a", "org_b"].map(|id| id.parse::<EnvironmentId>().unwrap());
        assert_ne!(RollupScope::Environment(&one).uuid(), RollupScope::Environment(&two).uuid());
        // As `encode(substring(sha256('org_a'), 1, 16), 'hex')` says in the statements that write gauges.
        assert_eq!(
            RollupScope::Environment(&one).uuid().simple().to_string(),
            "671b8040d49db037b88b19c895d10529"
        );
    }
}
