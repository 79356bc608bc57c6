//! The end of the audit log.

use chrono::TimeDelta;

use crate::store::StoreError;

use super::UpkeepStore;

impl UpkeepStore {
    /// Deletes up to `chunk` entries that are older than that. It is the one thing that may be done to an entry. Call it
    /// again while it returns a full chunk.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn delete_audit_entries(&self, retention: TimeDelta, chunk: i64) -> Result<u64, StoreError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query!("-- audit::allow_retention\nSELECT set_config('postrider.audit_retention', 'on', true)")
            .fetch_one(&mut *tx)
            .await?;
        let deleted = sqlx::query!(
            r#"-- audit::retire
            WITH old AS MATERIALIZED (
                SELECT id FROM audit_log WHERE id < uuid_at(now() - $1::float8 * interval '1 second')
                ORDER BY id LIMIT $2
            )
            DELETE FROM audit_log l USING old WHERE l.id = old.id"#,
            retention.as_seconds_f64(),
            chunk,
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(deleted.rows_affected())
    }
}
