//! The way back into the queue, for what this node has and will not send now. Only what it still owns moves.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::id::{ApplicationId, EndpointId, MessageId};
use crate::store::StoreError;

use super::QueueStore;

/// A delivery that goes back to the queue unsent.
#[derive(Debug, Clone, Copy)]
pub struct HandBack {
    /// Of which message.
    pub message_id: MessageId,
    /// To which endpoint.
    pub endpoint_id: EndpointId,
    /// Of which application.
    pub application_id: ApplicationId,
    /// The lease of a claimed row; `None` for one that was born leased.
    pub lease: Option<DateTime<Utc>>,
    /// Whether its endpoint is closed.
    pub held: bool,
}

impl QueueStore {
    /// Gives deliveries back to the queue, due now: those of a closed endpoint as held. Only what this node still
    /// owns moves.
    pub async fn hand_back(&self, epoch: i64, deliveries: &[HandBack]) -> Result<(), StoreError> {
        let (leased, born): (Vec<HandBack>, Vec<HandBack>) =
            deliveries.iter().copied().partition(|delivery| delivery.lease.is_some());
        if !leased.is_empty() {
            self.hand_back_leased(epoch, &leased).await?;
        }
        if !born.is_empty() {
            self.hand_back_born(epoch, &born).await?;
        }
        Ok(())
    }

    async fn hand_back_born(&self, epoch: i64, born: &[HandBack]) -> Result<(), StoreError> {
        let messages: Vec<Uuid> = born.iter().map(|d| d.message_id.uuid()).collect();
        let endpoints: Vec<Uuid> = born.iter().map(|d| d.endpoint_id.uuid()).collect();
        let applications: Vec<Uuid> = born.iter().map(|d| d.application_id.uuid()).collect();
        let held: Vec<bool> = born.iter().map(|d| d.held).collect();
        sqlx::query!(
            r#"-- pending::hand_back_born
            WITH given AS (
                UPDATE delivery d SET state = CASE WHEN c.held THEN 'held'::delivery_state ELSE 'waiting' END, owner = NULL
                FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::boolean[])
                    AS c(message_id, endpoint_id, application_id, held)
                WHERE d.message_id = c.message_id AND d.endpoint_id = c.endpoint_id
                  AND (d.owner = $1 AND d.state = 'in_flight') IS TRUE
                RETURNING d.message_id, d.endpoint_id, c.application_id, d.attempts
            )
            INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
            SELECT message_id, endpoint_id, application_id, now(), attempts FROM given
            ON CONFLICT (message_id, endpoint_id) DO NOTHING"#,
            epoch,
            &messages,
            &endpoints,
            &applications,
            &held,
        )
        .execute(&self.claims)
        .await?;
        Ok(())
    }

    async fn hand_back_leased(&self, epoch: i64, leased: &[HandBack]) -> Result<(), StoreError> {
        let messages: Vec<Uuid> = leased.iter().map(|d| d.message_id.uuid()).collect();
        let endpoints: Vec<Uuid> = leased.iter().map(|d| d.endpoint_id.uuid()).collect();
        let leases: Vec<DateTime<Utc>> = leased.iter().filter_map(|d| d.lease).collect();
        let held: Vec<bool> = leased.iter().map(|d| d.held).collect();
        sqlx::query!(
            r#"-- pending::hand_back_leased
            WITH given AS (
                UPDATE pending p SET owner = NULL, due_at = now()
                FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::boolean[])
                    AS c(message_id, endpoint_id, lease, held)
                WHERE p.message_id = c.message_id AND p.endpoint_id = c.endpoint_id
                  AND (p.owner = $1 AND p.due_at = c.lease) IS TRUE
                RETURNING p.message_id, p.endpoint_id, c.held
            )
            UPDATE delivery d SET state = 'held' FROM given g
            WHERE d.message_id = g.message_id AND d.endpoint_id = g.endpoint_id
              AND (g.held AND d.state = 'waiting') IS TRUE"#,
            epoch,
            &messages,
            &endpoints,
            &leases,
            &held,
        )
        .execute(&self.claims)
        .await?;
        Ok(())
    }
}
