//! What a recovery of an endpoint would send: the same dead letters and deliveries that the task takes, by the time of their
//! messages, counted among those that are looked at.

use crate::domain::id::{EndpointId, EnvironmentId};
use crate::store::StoreError;
use crate::store::database::capped::Capped;
use crate::store::database::span::TimeBounds;

use super::RollupStore;

/// Dead letters that are looked at, and deliveries that wait.
const LOOKED_AT: i64 = 10_000;

/// What a recovery would send.
#[derive(Debug, Clone, Copy)]
pub struct RecoverPreview {
    /// Open dead letters.
    pub dead_letters: Capped,
    /// Deliveries that were tried and wait to be tried again.
    pub waiting: Capped,
}

impl RollupStore {
    /// Counts what a recovery of the messages of that time would send.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn recover_preview(
        &self,
        environment: &EnvironmentId,
        endpoint: EndpointId,
        time: TimeBounds,
    ) -> Result<RecoverPreview, StoreError> {
        let (above, below) = time.ids();
        let dead = sqlx::query!(
            r#"-- dead_letter::recover_preview
            SELECT count(*) AS "looked_at!",
                   count(*) FILTER (WHERE l.message_id > $3 AND l.message_id < $4 AND NOT l.expunged) AS "count!"
            FROM (
                SELECT message_id, payload IS NULL AS expunged FROM dead_letter
                WHERE environment_id = $1 AND endpoint_id = $2 AND replayed_at IS NULL AND discarded_at IS NULL
                LIMIT $5
            ) l"#,
            environment.as_str(),
            endpoint.uuid(),
            above,
            below,
            LOOKED_AT + 1,
        )
        .fetch_one(&self.reading)
        .await?;
        let waiting = sqlx::query!(
            r#"-- pending::recover_preview
            SELECT count(*) AS "looked_at!",
                   count(*) FILTER (WHERE p.message_id > $2 AND p.message_id < $3 AND p.attempts > 0 AND p.is_free) AS "count!"
            FROM (
                SELECT message_id, attempts, owner IS NULL OR due_at <= now() AS is_free FROM pending
                WHERE endpoint_id = $1 AND due_at > '-infinity' ORDER BY due_at, message_id LIMIT $4
            ) p"#,
            endpoint.uuid(),
            above,
            below,
            LOOKED_AT + 1,
        )
        .fetch_one(&self.reading)
        .await?;
        let capped = |count, looked_at| Capped { count, is_capped: looked_at > LOOKED_AT };
        Ok(RecoverPreview {
            dead_letters: capped(dead.count, dead.looked_at),
            waiting: capped(waiting.count, waiting.looked_at),
        })
    }
}
