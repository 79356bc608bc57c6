//! Background tasks, and what they do a chunk at a time: replays of dead letters and of an endpoint, erasure of content,
//! counting. What a caller asks for a single message or dead letter at once stands beside the task that does many.

pub(in crate::store) mod chunk;
pub(in crate::store) mod endpoint_replay;
pub(in crate::store) mod expunge;
pub(in crate::store) mod replay;
pub(in crate::store) mod resend;
pub(in crate::store) mod task;
pub(in crate::store) mod usage;
pub(in crate::store) mod work;

use super::database::pool::Pool;

/// Background tasks and single replays, on connections of their own: a long task keeps nobody waiting.
#[derive(Clone)]
pub struct TaskStore {
    pub(super) pool: Pool,
}
