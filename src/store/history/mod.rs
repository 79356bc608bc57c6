//! What happened: messages, attempts, dead letters as they are read, deliveries by message and by endpoint, counts over
//! time, the depth of the queue. Only reads.

pub(super) mod attempt;
mod cancelled;
pub(super) mod closed_endpoint;
pub(super) mod dead_letter;
pub(super) mod delivery;
pub(super) mod delivery_status;
pub(super) mod export;
pub(super) mod lookup;
pub(super) mod message;
pub(super) mod message_walk;
pub(super) mod queue_depth;
pub(super) mod statistics;

use super::database::pool::Pool;

/// What happened, for lists and reports. Its connections are its own: a slow report keeps nothing else waiting.
#[derive(Clone)]
pub struct HistoryStore {
    pub(super) pool: Pool,
}
