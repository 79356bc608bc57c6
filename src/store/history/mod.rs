//! What happened: messages, attempts, dead letters as they are read, deliveries by message and by endpoint, counts over
//! time, the depth of the queue. Only reads.

pub(in crate::store) mod attempt;
pub(in crate::store) mod dead_letter;
pub(in crate::store) mod delivery_status;
pub(in crate::store) mod message;
pub(in crate::store) mod queue_depth;
pub(in crate::store) mod statistics;

use super::database::pool::Pool;

/// What happened, for lists and reports. Its connections are its own: a slow report keeps nothing else waiting.
#[derive(Clone)]
pub struct HistoryStore {
    pub(super) pool: Pool,
}
