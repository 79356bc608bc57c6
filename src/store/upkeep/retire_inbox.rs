//! The end of test inboxes, a day after they were made.

use crate::store::StoreError;

use super::UpkeepStore;

impl UpkeepStore {
    /// Deletes up to `chunk` inboxes that are over, with what they got. Call it again while it returns a full chunk.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn retire_inboxes(&self, chunk: i64) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            r#"-- inbox::retire
            WITH old AS MATERIALIZED (
                SELECT id FROM inbox WHERE expires_at <= now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
            )
            DELETE FROM inbox i USING old WHERE i.id = old.id"#,
            chunk,
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }
}
