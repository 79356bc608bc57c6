//! Upkeep: partitions ahead and behind, retention, burial of what can reach nobody, the end of everything that grows. A
//! bounded number of rows at a time, by an index, each chunk a transaction of its own.

mod audit;
mod bury;
mod content;
mod endpoint_hour;
mod erase;
pub(super) mod failing;
pub(super) mod failing_long;
pub(super) mod inspect;
pub(super) mod maintenance_round;
mod partition;
mod retire;
mod retire_configuration;
mod retire_inbox;
mod retire_session;
pub(super) mod stray;

use super::database::pool::Pool;

/// What maintenance does: nobody waits for it.
#[derive(Clone)]
pub struct UpkeepStore {
    pub(super) pool: Pool,
}
