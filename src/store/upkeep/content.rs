//! Payloads whose time is over.

use uuid::Uuid;

use crate::store::StoreError;
use crate::store::tasks::expunge::{expunge, expunge_once_more, in_hand};

use super::UpkeepStore;

struct Over {
    message_id: Uuid,
    /// Whether it is for the first time.
    again: bool,
}

impl UpkeepStore {
    /// Expunges up to `chunk` payloads whose time is over. Returns how many; call again while it is a full chunk.
    pub async fn expunge_expired(&self, chunk: i64) -> Result<u64, StoreError> {
        let mut tx = self.pool.begin().await?;
        let over = sqlx::query_as!(
            Over,
            r#"-- payload_expiry::take
            WITH over AS MATERIALIZED (
                SELECT message_id FROM payload_expiry WHERE expires_at <= now()
                ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
            )
            DELETE FROM payload_expiry x USING over WHERE x.message_id = over.message_id
            RETURNING x.message_id, x.again"#,
            chunk,
        )
        .fetch_all(&mut *tx)
        .await?;
        let ids: Vec<Uuid> = over.iter().map(|row| row.message_id).collect();
        let ids_of = |again: bool| -> Vec<Uuid> {
            over.iter().filter(|row| row.again == again).map(|row| row.message_id).collect()
        };
        let (mut again, later) = (ids_of(true), ids_of(false));
        // Asked before answers are taken away: what has ended by now has its answers among them.
        again.extend(in_hand(&mut tx, &later).await?);
        expunge(&mut tx, &ids).await?;
        expunge_once_more(&mut tx, &again).await?;
        tx.commit().await?;
        Ok(u64::try_from(ids.len()).unwrap_or(u64::MAX))
    }
}
