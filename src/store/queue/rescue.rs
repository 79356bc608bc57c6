//! Deliveries that nobody works on, found by looking at the rows themselves and at nothing that a process remembers.
//!
//! Each scan reads a bounded number of rows along the primary key and says where it stopped. Whether a row that
//! this node owns is in its memory the caller knows; everything else is found here, in one snapshot: an owner that is no
//! node, and a delivery that waits without its row in the queue.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::id::{EndpointId, MessageId};
use crate::store::StoreError;
use crate::store::database::interval::interval;

use super::QueueStore;

/// A delivery by its key. Scans go through them in this order.
pub type DeliveryKey = (MessageId, EndpointId);

/// What a scan found.
#[derive(Debug, Default)]
pub struct RescueScan {
    /// Where it stopped; `None` when it came to the end.
    pub last: Option<DeliveryKey>,
    /// Deliveries that this epoch owns. Those that are not in memory are lost.
    pub owned: Vec<DeliveryKey>,
    /// Deliveries that are lost in any case.
    pub lost: Vec<DeliveryKey>,
}

impl QueueStore {
    /// Reads up to `limit` deliveries after `after`, of messages below `below`.
    pub async fn scan_for_lost(
        &self,
        epoch: i64,
        after: DeliveryKey,
        below: MessageId,
        limit: i64,
    ) -> Result<RescueScan, StoreError> {
        let rows = sqlx::query!(
            r#"-- rescue::scan
            WITH scanned AS MATERIALIZED (
                SELECT d.message_id, d.endpoint_id, d.owner, d.state FROM delivery d
                WHERE d.message_id >= $2 AND (d.message_id, d.endpoint_id) > ($2, $3) AND d.message_id < $4
                ORDER BY d.message_id, d.endpoint_id LIMIT $5
            ), classified AS MATERIALIZED (
                SELECT l.message_id, l.endpoint_id,
                       CASE WHEN l.state = 'in_flight' AND l.owner = $1 THEN 'owned'
                            WHEN l.state = 'in_flight' AND (SELECT true FROM node n WHERE n.epoch = l.owner) IS NULL THEN 'lost'
                            WHEN l.state IN ('waiting', 'held') AND (
                                SELECT true FROM pending p
                                WHERE p.message_id = l.message_id AND p.endpoint_id = l.endpoint_id) IS NULL
                            THEN 'lost' END AS finding
                FROM scanned l
            ), last AS (
                SELECT message_id, endpoint_id FROM scanned ORDER BY message_id DESC, endpoint_id DESC LIMIT 1
            )
            SELECT message_id AS "message_id!", endpoint_id AS "endpoint_id!", finding AS "finding!"
            FROM classified WHERE finding IS NOT NULL
            UNION ALL
            SELECT message_id, endpoint_id, 'last' FROM last WHERE (SELECT count(*) FROM scanned) = $5"#,
            epoch,
            after.0.uuid(),
            after.1.uuid(),
            below.uuid(),
            limit,
        )
        .fetch_all(&self.claims)
        .await?;
        let mut scan = RescueScan::default();
        for row in rows {
            let key = (row.message_id.into(), row.endpoint_id.into());
            match row.finding.as_str() {
                "owned" => scan.owned.push(key),
                "lost" => scan.lost.push(key),
                _ => scan.last = Some(key),
            }
        }
        Ok(scan)
    }

    /// Puts deliveries back into the queue, as far as they are lost still: owned by this epoch, which does not have
    /// them in memory, or by nobody, or waiting outside of the queue. One whose message is gone is cancelled. Returns
    /// how many.
    pub async fn put_back_lost(&self, epoch: i64, lost: &[DeliveryKey]) -> Result<u64, StoreError> {
        let (messages, endpoints): (Vec<Uuid>, Vec<Uuid>) =
            lost.iter().map(|(message, endpoint)| (message.uuid(), endpoint.uuid())).unzip();
        let put_back = sqlx::query_scalar!(
            r#"-- rescue::put_back
            WITH found AS MATERIALIZED (
                SELECT d.message_id, d.endpoint_id, m.application_id
                FROM unnest($2::uuid[], $3::uuid[]) AS f(message_id, endpoint_id)
                CROSS JOIN LATERAL (
                    SELECT d.message_id, d.endpoint_id FROM delivery d
                    WHERE d.message_id = f.message_id AND d.endpoint_id = f.endpoint_id
                      AND (CASE WHEN d.state = 'in_flight' THEN d.owner = $1
                                     OR (SELECT true FROM node n WHERE n.epoch = d.owner) IS NULL
                                WHEN d.state IN ('waiting', 'held') THEN (
                                     SELECT true FROM pending p
                                     WHERE p.message_id = d.message_id AND p.endpoint_id = d.endpoint_id) IS NULL
                           END) IS TRUE
                    FOR UPDATE
                ) d
                LEFT JOIN message m ON m.id = d.message_id
            ), freed AS (
                UPDATE delivery d
                SET owner = NULL,
                    state = CASE WHEN f.application_id IS NULL THEN 'cancelled'::delivery_state
                                 WHEN d.state = 'held' THEN 'held' ELSE 'waiting' END,
                    settled_at = CASE WHEN f.application_id IS NULL THEN now() END
                FROM found f
                WHERE d.message_id = f.message_id AND d.endpoint_id = f.endpoint_id AND d.state IN ('in_flight', 'waiting', 'held')
                RETURNING d.message_id, d.endpoint_id, f.application_id, d.attempts
            ), queued AS (
                INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
                SELECT message_id, endpoint_id, application_id, now(), attempts FROM freed
                WHERE application_id IS NOT NULL
                ON CONFLICT (message_id, endpoint_id) DO NOTHING
            )
            SELECT count(*) AS "count!" FROM freed"#,
            epoch,
            &messages,
            &endpoints,
        )
        .fetch_one(&self.claims)
        .await?;
        Ok(put_back.unsigned_abs())
    }

    /// The claims that this epoch made at least `age_seconds` ago, each with its token.
    pub async fn claims_of(
        &self,
        epoch: i64,
        lease: std::time::Duration,
        age_seconds: f64,
    ) -> Result<Vec<(MessageId, EndpointId, DateTime<Utc>)>, StoreError> {
        let rows = sqlx::query!(
            r#"-- rescue::claims
            SELECT message_id, endpoint_id, due_at FROM pending
            WHERE owner = $1 AND (due_at <= now() + $2::interval - make_interval(secs => $3)
                                  -- Claimed by a clock that was ahead.
                                  OR due_at > now() + $2::interval + interval '1 minute')"#,
            epoch,
            interval(lease),
            age_seconds,
        )
        .fetch_all(&self.claims)
        .await?;
        Ok(rows.into_iter().map(|row| (row.message_id.into(), row.endpoint_id.into(), row.due_at)).collect())
    }

    /// Releases claims that were lost on their way, as far as they stand. Returns how many.
    pub async fn release_claims(
        &self,
        epoch: i64,
        claims: &[(MessageId, EndpointId, DateTime<Utc>)],
    ) -> Result<u64, StoreError> {
        let messages: Vec<Uuid> = claims.iter().map(|claim| claim.0.uuid()).collect();
        let endpoints: Vec<Uuid> = claims.iter().map(|claim| claim.1.uuid()).collect();
        let tokens: Vec<DateTime<Utc>> = claims.iter().map(|claim| claim.2).collect();
        let released = sqlx::query!(
            r#"-- rescue::release_claims
            UPDATE pending p SET owner = NULL, due_at = now()
            FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[]) AS c(message_id, endpoint_id, token)
            WHERE p.message_id = c.message_id AND p.endpoint_id = c.endpoint_id
              AND (p.owner = $1 AND p.due_at = c.token) IS TRUE"#,
            epoch,
            &messages,
            &endpoints,
            &tokens,
        )
        .execute(&self.claims)
        .await?;
        Ok(released.rows_affected())
    }
}
