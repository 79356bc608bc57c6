//! Whether the database answers, and what the queue looks like from afar.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use crate::store::StoreError;
use crate::store::database::cache::{Cache, ShortLived};

use super::QueueStore;

/// So long an answer is as good as new: strangers may ask, and heartbeats go by the same connections.
const KEPT_FOR: Duration = Duration::from_secs(1);

/// The queue from afar. It costs the same whatever stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueHealth {
    /// Nodes whose heartbeat is fresh.
    pub live_nodes: i64,
    /// About how many deliveries wait, as of the last vacuum or analyze.
    pub waiting_estimate: i64,
}

/// The last look, and the one that is under way.
#[derive(Clone)]
pub(in crate::store) struct LastLook(Cache<(), QueueHealth>);

impl Default for LastLook {
    fn default() -> Self {
        Self(Cache::of_age(KEPT_FOR, 1, |(), _| 1, Arc::new(ShortLived)))
    }
}

impl QueueStore {
    /// Asks the database, once for all who ask at a time, and once a second at most while it answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn queue_health(&self) -> Result<QueueHealth, Arc<StoreError>> {
        if let Some(kept) = self.last_look.0.get(&()) {
            return Ok(kept);
        }
        let store = self.clone();
        Box::pin(self.last_look.0.read(&(), move || async move { store.look_at_queue().await }.boxed())).await
    }

    async fn look_at_queue(&self) -> Result<QueueHealth, StoreError> {
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
