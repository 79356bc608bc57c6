//! The end of notices of alerts, which show for a while what was sent and what was given up.

use std::time::Duration;

use crate::store::StoreError;
use crate::store::database::interval::interval;

use super::UpkeepStore;

impl UpkeepStore {
    /// Deletes notices of alerts that were written longer ago than `kept` and are not to be sent any more.
    pub async fn retire_alert_notices(&self, kept: Duration, chunk: i64) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            r#"-- alert_notice::retire
            WITH old AS MATERIALIZED (
                SELECT id FROM alert_notice WHERE noted_at < now() - $1::interval AND due_at IS NULL
                ORDER BY noted_at LIMIT $2 FOR UPDATE SKIP LOCKED
            )
            DELETE FROM alert_notice n USING old WHERE n.id = old.id"#,
            interval(kept),
            chunk,
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }
}
