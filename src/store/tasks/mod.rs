//! Background tasks, and what they do a chunk at a time: replays of dead letters and of an endpoint, calling off what waits,
//! erasure, counting. What a caller asks for a single message or dead letter at once stands beside the task that does many.

pub(super) mod background_task;
pub(super) mod cancel;
mod chunk;
mod endpoint_replay;
mod erasure;
pub(super) mod expunge;
mod indexes;
mod oldest_first;
pub(super) mod replay;
pub(super) mod replayed;
pub(super) mod resend;
pub(super) mod rows;
pub(super) mod settled;
mod usage;
pub(super) mod work;

use super::database::pool::Pool;

/// Background tasks and single replays, on connections of their own: a long task keeps nobody waiting.
#[derive(Clone)]
pub struct TaskStore {
    pub(super) pool: Pool,
}
