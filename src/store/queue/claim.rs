//! Claims from the queue of what must wait. They go by endpoint, a few rows each, and never by "the oldest N": a
//! million rows of one endpoint stand in nobody's way. A claimed row carries its lease in `due_at`.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::delivery::attempt::Trigger;
use crate::domain::id::{ApplicationId, EndpointId, MessageId};
use crate::domain::message::MOST_HEADER_BYTES_IN_MEMORY;
use crate::store::StoreError;
use crate::store::database::interval::interval;

use super::QueueStore;

/// How much to claim for one endpoint.
#[derive(Debug, Clone, Copy)]
pub struct ClaimRequest {
    /// Which.
    pub endpoint_id: EndpointId,
    /// Where its part of the queue is read from; `None` for its beginning.
    pub floor: Option<DateTime<Utc>>,
    /// At most so many rows.
    pub quota: u16,
}

/// A delivery that this node has claimed.
#[derive(Debug, Clone)]
pub struct ClaimedDelivery {
    /// Of which message.
    pub message_id: MessageId,
    /// To which endpoint.
    pub endpoint_id: EndpointId,
    /// Of which application.
    pub application_id: ApplicationId,
    /// Attempts made in this round.
    pub attempts: u16,
    /// Of these, those that were refused as too fast.
    pub refusals: u16,
    /// Why it is in the queue.
    pub trigger: Trigger,
    /// When it was due.
    pub due_at: DateTime<Utc>,
    /// The end of the lease, and its token.
    pub lease: DateTime<Utc>,
    /// What the message's payload and headers take in memory.
    pub content_bytes: usize,
}

/// An endpoint that has something due, now or soon.
#[derive(Debug, Clone, Copy)]
pub struct DueEndpoint {
    /// Which.
    pub endpoint_id: EndpointId,
    /// How long until then.
    pub wait: Duration,
    /// How long ago that was.
    pub overdue: Duration,
}

/// What a claim got.
#[derive(Debug, Default)]
pub struct ClaimResult {
    /// The rows, by message.
    pub rows: Vec<ClaimedDelivery>,
    /// How long until an endpoint of which nothing more is due has something due again.
    pub waits: HashMap<EndpointId, Duration>,
    /// When it was, by the database's clock; `None` when there was nothing at all.
    pub claimed_at: Option<DateTime<Utc>>,
}

impl QueueStore {
    /// Claims what is due for these endpoints, as far as they are open. What was held waits from here on.
    pub async fn claim_due(
        &self,
        epoch: i64,
        lease: Duration,
        requests: &[ClaimRequest],
    ) -> Result<ClaimResult, StoreError> {
        let endpoints: Vec<Uuid> = requests.iter().map(|request| request.endpoint_id.uuid()).collect();
        let floors: Vec<Option<DateTime<Utc>>> = requests.iter().map(|request| request.floor).collect();
        let quotas: Vec<i32> = requests.iter().map(|request| i32::from(request.quota)).collect();
        let rows = sqlx::query!(
            r#"-- pending::claim_due
            WITH requested AS MATERIALIZED (
                SELECT a.endpoint_id, coalesce(a.floor, '-infinity') AS floor, a.quota
                FROM unnest($3::uuid[], $4::timestamptz[], $5::integer[]) AS a(endpoint_id, floor, quota)
                JOIN endpoint e ON e.id = a.endpoint_id
                WHERE (e.disabled_at IS NULL AND e.paused_at IS NULL AND e.deleted_at IS NULL) IS TRUE
                  AND NOT EXISTS (SELECT FROM application t WHERE t.id = e.application_id AND t.paused_at IS NOT NULL)
                  AND NOT EXISTS (SELECT FROM dispatching WHERE singleton AND paused_at IS NOT NULL)
            ), due AS MATERIALIZED (
                SELECT d.message_id, d.endpoint_id, d.due_at FROM requested a CROSS JOIN LATERAL (
                    SELECT p.message_id, p.endpoint_id, p.due_at FROM pending p
                    WHERE p.endpoint_id = a.endpoint_id AND p.due_at >= a.floor AND p.due_at <= now()
                      AND p.due_at > '-infinity'
                    ORDER BY p.due_at, p.message_id LIMIT a.quota FOR UPDATE SKIP LOCKED
                ) d
            ), claimed AS (
                UPDATE pending p SET owner = $1, due_at = now() + $2::interval FROM due
                WHERE p.message_id = due.message_id AND p.endpoint_id = due.endpoint_id
                RETURNING p.message_id, p.endpoint_id, p.application_id, p.attempts, p.refusals, p.trigger,
                          p.due_at AS lease, due.due_at
            ), released AS (
                UPDATE delivery d SET state = 'waiting' FROM claimed c
                WHERE d.message_id = c.message_id AND d.endpoint_id = c.endpoint_id AND (d.state = 'held') IS TRUE
            ), taken AS MATERIALIZED (
                SELECT endpoint_id, count(*) AS rows FROM due GROUP BY endpoint_id
            ), later AS (
                SELECT a.endpoint_id, n.due_at FROM requested a
                LEFT JOIN taken t ON t.endpoint_id = a.endpoint_id
                CROSS JOIN LATERAL (
                    SELECT p.due_at FROM pending p
                    WHERE p.endpoint_id = a.endpoint_id AND p.due_at > now() AND p.due_at > '-infinity'
                      AND coalesce(t.rows, 0) < a.quota
                    ORDER BY p.due_at LIMIT 1
                ) n
            )
            SELECT c.message_id AS "message_id?", c.endpoint_id AS "endpoint_id!", c.application_id AS "application_id?",
                   c.attempts AS "attempts?", c.refusals AS "refusals?", c.trigger::text AS "trigger?", c.lease AS "lease?", c.due_at AS "due_at!",
                   coalesce(octet_length(m.payload), 0) AS "payload_bytes!", (m.headers IS NOT NULL) AS "has_headers!",
                   now() AS "now!"
            FROM claimed c LEFT JOIN message m ON m.id = c.message_id
            UNION ALL
            SELECT NULL, l.endpoint_id, NULL, NULL, NULL, NULL, NULL, l.due_at, 0, false, now() FROM later l"#,
            epoch,
            interval(lease),
            &endpoints,
            &floors as &[Option<DateTime<Utc>>],
            &quotas,
        )
        .fetch_all(&self.claims)
        .await?;
        let mut result = ClaimResult::default();
        for row in rows {
            result.claimed_at = Some(row.now);
            let endpoint_id = EndpointId::from(row.endpoint_id);
            if let (Some(message), Some(application), Some(attempts), Some(trigger), Some(lease)) =
                (row.message_id, row.application_id, row.attempts, row.trigger, row.lease)
            {
                result.rows.push(ClaimedDelivery {
                    message_id: message.into(),
                    endpoint_id,
                    application_id: application.into(),
                    attempts: attempts.unsigned_abs(),
                    refusals: row.refusals.unwrap_or_default().unsigned_abs(),
                    trigger: Trigger::from_name(&trigger).unwrap_or(Trigger::Scheduled),
                    due_at: row.due_at,
                    lease,
                    content_bytes: row.payload_bytes.unsigned_abs() as usize
                        + if row.has_headers { MOST_HEADER_BYTES_IN_MEMORY } else { 0 },
                });
            } else {
                let wait = (row.due_at - row.now).to_std().unwrap_or_default();
                result.waits.insert(endpoint_id, wait);
            }
        }
        result.rows.sort_by_key(|row| row.message_id);
        Ok(result)
    }

    /// A page of the open endpoints behind `after` (the nil UUID for the beginning) that have something due within
    /// `horizon`, each with how long until then. It reads one index entry for each endpoint in the queue.
    pub async fn sweep_due(
        &self,
        after: Uuid,
        horizon: Duration,
        limit: usize,
    ) -> Result<Vec<DueEndpoint>, StoreError> {
        let rows = sqlx::query!(
            r#"-- pending::sweep_due
            WITH RECURSIVE listed AS (
                (SELECT p.endpoint_id, p.due_at FROM pending p WHERE p.endpoint_id > $1 AND p.due_at > '-infinity'
                 ORDER BY p.endpoint_id, p.due_at LIMIT 1)
                UNION ALL
                SELECT n.endpoint_id, n.due_at FROM listed l CROSS JOIN LATERAL (
                    SELECT p.endpoint_id, p.due_at FROM pending p
                    WHERE p.endpoint_id > l.endpoint_id AND p.due_at > '-infinity'
                    ORDER BY p.endpoint_id, p.due_at LIMIT 1
                ) n
            )
            SELECT l.endpoint_id AS "endpoint_id!",
                   ceil(extract(epoch FROM l.due_at - now()) * 1000)::bigint AS "wait_ms!"
            FROM listed l JOIN endpoint e ON e.id = l.endpoint_id
            WHERE (e.disabled_at IS NULL AND e.paused_at IS NULL AND e.deleted_at IS NULL
                   AND l.due_at <= now() + $2::interval) IS TRUE
              AND NOT EXISTS (SELECT FROM application t WHERE t.id = e.application_id AND t.paused_at IS NOT NULL)
              AND NOT EXISTS (SELECT FROM dispatching WHERE singleton AND paused_at IS NOT NULL)
            LIMIT $3"#,
            after,
            interval(horizon),
            i64::try_from(limit).unwrap_or(i64::MAX),
        )
        .fetch_all(&self.claims)
        .await?;
        let ms = |ms: i64| Duration::from_millis(ms.max(0).unsigned_abs());
        Ok(rows
            .into_iter()
            .map(|row| DueEndpoint {
                endpoint_id: row.endpoint_id.into(),
                wait: ms(row.wait_ms),
                overdue: ms(row.wait_ms.saturating_neg()),
            })
            .collect())
    }
}
