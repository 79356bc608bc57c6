//! Payloads whose time is over.

use uuid::Uuid;

use crate::store::StoreError;
use crate::store::tasks::expunge::{expunge, expunge_once_more, in_hand};
use crate::store::tasks::rows::{first_of, rows_of_chunk};

use super::UpkeepStore;

struct Over {
    message_id: Uuid,
    /// Whether it is for the first time.
    again: bool,
}

impl UpkeepStore {
    /// Expunges up to `chunk` payloads whose time is over. Returns how many were dealt with, of which some may come again
    /// because much hangs on them; call again while it is any.
    pub async fn expunge_expired(&self, chunk: i64) -> Result<u64, StoreError> {
        let rows = rows_of_chunk(chunk);
        let mut tx = self.pool.begin().await?;
        let mut over = sqlx::query_as!(
            Over,
            r#"-- payload_expiry::over
            SELECT message_id, again FROM payload_expiry WHERE expires_at <= now()
            ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED"#,
            chunk,
        )
        .fetch_all(&mut *tx)
        .await?;
        over.sort_unstable_by_key(|row| row.message_id);
        let ids = first_of(&mut tx, over.iter().map(|row| row.message_id).collect(), rows).await?;
        over.truncate(ids.len());
        let ids_of = |again: bool| -> Vec<Uuid> {
            over.iter().filter(|row| row.again == again).map(|row| row.message_id).collect()
        };
        let (mut again, later) = (ids_of(true), ids_of(false));
        // Asked before answers are taken away: what has ended by now has its answers among them.
        again.extend(in_hand(&mut tx, &later).await?);
        if expunge(&mut tx, &ids, rows).await?.is_all {
            sqlx::query!(
                r#"-- payload_expiry::delete
                DELETE FROM payload_expiry WHERE message_id = ANY($1)"#,
                &ids,
            )
            .execute(&mut *tx)
            .await?;
            expunge_once_more(&mut tx, &again).await?;
        }
        tx.commit().await?;
        Ok(ids.len() as u64)
    }
}
