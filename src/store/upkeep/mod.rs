//! Upkeep: partitions ahead and behind, retention, burial of what can reach nobody, the end of everything that grows. A
//! bounded number of rows at a time, by an index, each chunk a transaction of its own.

mod audit;
mod bury;
pub(super) mod chunk_progress;
mod content;
mod endpoint_hour;
mod erase;
pub(super) mod failing;
pub(super) mod failing_long;
pub(super) mod inspect;
mod kept_longer;
pub(super) mod maintenance_round;
pub(super) mod partition;
pub(super) mod retention;
pub(super) mod retire;
mod retire_alert;
mod retire_configuration;
pub(super) mod retire_dead_letter;
mod retire_inbox;
mod retire_session;

use super::database::pool::Pool;

/// What maintenance does: nobody waits for it.
#[derive(Clone)]
pub struct UpkeepStore {
    pub(super) pool: Pool,
}
