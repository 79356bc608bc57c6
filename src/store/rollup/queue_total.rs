//! What the last look at the queue found in all.

use crate::store::StoreError;

use super::RollupStore;

/// What waits in the database. No endpoint is counted further than a thousand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QueueTotal {
    /// For open endpoints, and due.
    pub due: i64,
    /// For open endpoints, at a later time.
    pub later: i64,
    /// For paused endpoints.
    pub paused: i64,
    /// For disabled endpoints.
    pub disabled: i64,
    /// Dead letters that nobody has decided about.
    pub dead_open: i64,
    /// For how long the longest overdue one has been due.
    pub oldest_due_seconds: f64,
    /// How long ago the look ended.
    pub age_seconds: f64,
}

impl RollupStore {
    /// What the last look at the queue found in all; `None` before the first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn queue_total(&self) -> Result<Option<QueueTotal>, StoreError> {
        let total = sqlx::query_as!(
            QueueTotal,
            r#"-- queue_sampling::total
            SELECT due, later, paused, disabled, dead_open,
                   coalesce(extract(epoch FROM ended_at - oldest_due_at), 0)::double precision AS "oldest_due_seconds!",
                   extract(epoch FROM now() - ended_at)::double precision AS "age_seconds!"
            FROM queue_sampling WHERE ended_at IS NOT NULL"#
        )
        .fetch_optional(&self.reading)
        .await?;
        Ok(total)
    }
}
