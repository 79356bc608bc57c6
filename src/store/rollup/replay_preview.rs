//! What the tasks of an endpoint would send: the same dead letters, deliveries and messages that they take, by the time of
//! the messages, counted among those that are looked at.

use crate::domain::id::{ApplicationId, EndpointId, EnvironmentId};
use crate::store::StoreError;
use crate::store::database::capped::Capped;
use crate::store::database::span::TimeBounds;

use super::RollupStore;

/// Dead letters that are looked at, and deliveries that wait.
const LOOKED_AT: i64 = 10_000;
/// Messages that are looked at, each for whether it was ever to go to the endpoint.
const MESSAGES_LOOKED_AT: i64 = 2_000;

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

    /// Counts the messages of that time that the endpoint would get today and was never to get, as `replay_missing` finds them.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn missing_preview(
        &self,
        application: ApplicationId,
        endpoint: EndpointId,
        time: TimeBounds,
    ) -> Result<Capped, StoreError> {
        let (above, below) = time.ids();
        let found = sqlx::query!(
            r#"-- message::missing_preview
            SELECT count(*) AS "looked_at!", count(*) FILTER (WHERE c.matches) AS "count!" FROM (
                SELECT m.payload IS NOT NULL AND (e.event_types IS NULL OR m.event_type = ANY(e.event_types))
                       AND (e.channels IS NULL OR m.channels && e.channels)
                       AND (SELECT true FROM delivery d WHERE d.message_id = m.id AND d.endpoint_id = e.id) IS NULL AS matches
                FROM endpoint e CROSS JOIN LATERAL (
                    SELECT m.id, m.payload, m.event_type, m.channels FROM message m
                    WHERE m.application_id = e.application_id AND m.id > $3 AND m.id < $4 ORDER BY m.id LIMIT $5
                ) m
                WHERE e.id = $1 AND e.application_id = $2 AND e.deleted_at IS NULL
            ) c"#,
            endpoint.uuid(),
            application.uuid(),
            above,
            below,
            MESSAGES_LOOKED_AT + 1,
        )
        .fetch_one(&self.reading)
        .await?;
        Ok(Capped { count: found.count, is_capped: found.looked_at > MESSAGES_LOOKED_AT })
    }
}
