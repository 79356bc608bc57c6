//! Whether the database answers, and what the queue looks like from afar.

use crate::store::StoreError;

use super::QueueStore;

/// The queue from afar. It costs the same whatever stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueHealth {
    /// Nodes whose heartbeat is fresh.
    pub live_nodes: i64,
    /// About how many deliveries wait, as of the last vacuum or analyze.
    pub waiting_estimate: i64,
}

impl QueueStore {
    /// Asks the database.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn queue_health(&self) -> Result<QueueHealth, StoreError> {
        let row = sqlx::query!(
            r#"-- health::queue
            SELECT (SELECT count(*) FROM node WHERE beat_at > now() - interval '20 s') AS "live_nodes!",
                (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'pending'::regclass)
                    AS "waiting_estimate!""#
        )
        .fetch_one(&self.vital)
        .await?;
        Ok(QueueHealth { live_nodes: row.live_nodes, waiting_estimate: row.waiting_estimate })
    }
}
