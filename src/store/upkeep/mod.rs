//! Upkeep: partitions ahead and behind, retention, burial of what can reach nobody, the end of everything that grows. A
//! bounded number of rows at a time, by an index, each chunk a transaction of its own.

pub(in crate::store) mod audit;
pub(in crate::store) mod bury;
pub(in crate::store) mod content;
pub(in crate::store) mod endpoint_hour;
pub(in crate::store) mod erase;
pub(in crate::store) mod failing;
pub(in crate::store) mod maintenance_round;
pub(in crate::store) mod partition;
pub(in crate::store) mod retire;
pub(in crate::store) mod retire_configuration;
pub(in crate::store) mod retire_session;
pub(in crate::store) mod stray;

use super::database::pool::Pool;

/// What maintenance does: nobody waits for it.
#[derive(Clone)]
pub struct UpkeepStore {
    pub(super) pool: Pool,
}
