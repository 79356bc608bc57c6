//! Configuration: environments, applications, endpoints, event types, pauses; and the snapshot of an application that
//! fan-out reads. A change raises the application's version and is announced to every node in its own transaction.

pub(in crate::store) mod application;
pub(in crate::store) mod endpoint;
mod endpoint_alone;
pub(in crate::store) mod endpoint_header;
pub(in crate::store) mod endpoint_secret;
pub(in crate::store) mod environment;
mod environment_policy;
pub(in crate::store) mod event_type;
pub(in crate::store) mod event_type_import;
pub(in crate::store) mod lookup;
pub(in crate::store) mod operational_application;
pub(in crate::store) mod path_name;
pub(in crate::store) mod pause;
pub(in crate::store) mod search;
mod secrets_at_url;
pub(in crate::store) mod sending_parts;
pub(in crate::store) mod snapshot;
pub(in crate::store) mod snapshots;
pub(in crate::store) mod version;

use crate::domain::policy::ServerPolicy;

use super::Sealer;
use super::database::pool::Pool;

/// Configuration, as the API reads and changes it and as ingest takes snapshots of it.
#[derive(Clone)]
pub struct ConfigurationStore {
    /// What callers of the API read and change.
    pub(super) pool: Pool,
    /// Snapshots for ingest and dispatch: a report or a slow change never delays a 202.
    pub(super) snapshot_pool: Pool,
    pub(super) sealer: Sealer,
    /// What holds where no environment, application or endpoint says otherwise.
    pub(super) server_policy: ServerPolicy,
}
