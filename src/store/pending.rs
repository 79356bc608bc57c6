//! The queue of what must wait. Claims go by endpoint, a few rows each, and never by "the oldest N": a million
//! rows of one endpoint stand in nobody's way. A claimed row carries its lease in `due_at`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::attempt::Trigger;
use crate::domain::id::{ApplicationId, EndpointId, MessageId};

use super::node::interval;
use super::{Store, StoreError};

/// How much to claim, and from where.
#[derive(Debug)]
pub struct ClaimRequest<'a> {
    /// The claiming node.
    pub epoch: i64,
    /// Begin behind this endpoint (the nil UUID for the beginning), so that every endpoint gets its turn.
    pub after: Uuid,
    /// At most so many endpoints.
    pub endpoints: i64,
    /// At most so many rows of each.
    pub per_endpoint: i64,
    /// Endpoints whose lanes have no room.
    pub without: &'a [Uuid],
    /// How long the lease lasts.
    pub lease: Duration,
}

/// A claimed row.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Of which message.
    pub message_id: MessageId,
    /// To which endpoint.
    pub endpoint_id: EndpointId,
    /// Of which application.
    pub application_id: ApplicationId,
    /// Attempts made in this round.
    pub attempts: u16,
    /// Why it is in the queue.
    pub trigger: Trigger,
    /// The end of the lease, and its token.
    pub lease: DateTime<Utc>,
    /// The payload's size.
    pub payload_bytes: u32,
}

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

impl Store {
    /// Claims what is due, a few rows for each endpoint that is open. What was held waits from here on.
    pub async fn claim_due(&self, request: &ClaimRequest<'_>) -> Result<Vec<Claimed>, StoreError> {
        let rows = sqlx::query!(
            r#"-- pending::claim_due
            WITH RECURSIVE listed AS (
                (SELECT p.endpoint_id FROM pending p WHERE p.endpoint_id > $2 ORDER BY p.endpoint_id LIMIT 1)
                UNION ALL
                SELECT (SELECT p.endpoint_id FROM pending p WHERE p.endpoint_id > l.endpoint_id
                        ORDER BY p.endpoint_id LIMIT 1)
                FROM listed l WHERE l.endpoint_id IS NOT NULL
            ), open AS MATERIALIZED (
                SELECT e.id FROM listed l JOIN endpoint e ON e.id = l.endpoint_id
                WHERE (e.disabled_at IS NULL AND e.paused_at IS NULL AND e.deleted_at IS NULL) IS TRUE
                  AND NOT EXISTS (SELECT FROM application a WHERE a.id = e.application_id AND a.paused_at IS NOT NULL)
                  AND NOT EXISTS (SELECT FROM dispatching WHERE singleton AND paused_at IS NOT NULL)
                  AND e.id <> ALL($5::uuid[])
                  AND EXISTS (SELECT FROM pending p WHERE p.endpoint_id = e.id AND p.due_at <= now())
                LIMIT $3
            ), due AS MATERIALIZED (
                SELECT d.message_id, d.endpoint_id FROM open o CROSS JOIN LATERAL (
                    SELECT p.message_id, p.endpoint_id FROM pending p
                    WHERE p.endpoint_id = o.id AND p.due_at <= now()
                    ORDER BY p.due_at LIMIT $4 FOR UPDATE SKIP LOCKED
                ) d
            ), claimed AS (
                UPDATE pending p SET owner = $1, due_at = now() + $6::interval FROM due
                WHERE p.message_id = due.message_id AND p.endpoint_id = due.endpoint_id
                RETURNING p.message_id, p.endpoint_id, p.application_id, p.attempts, p.trigger, p.due_at
            ), released AS (
                UPDATE delivery d SET state = 2 FROM claimed c
                WHERE d.message_id = c.message_id AND d.endpoint_id = c.endpoint_id AND (d.state = 3) IS TRUE
            )
            SELECT c.message_id, c.endpoint_id, c.application_id, c.attempts, c.trigger, c.due_at,
                   coalesce(octet_length(m.payload), 0) AS "payload_bytes!"
            FROM claimed c LEFT JOIN message m ON m.id = c.message_id
            ORDER BY c.message_id"#,
            request.epoch,
            request.after,
            request.endpoints,
            request.per_endpoint,
            request.without,
            interval(request.lease),
        )
        .fetch_all(&self.queue)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Claimed {
                message_id: row.message_id.into(),
                endpoint_id: row.endpoint_id.into(),
                application_id: row.application_id.into(),
                attempts: row.attempts.unsigned_abs(),
                trigger: Trigger::from_code(row.trigger),
                lease: row.due_at,
                payload_bytes: row.payload_bytes.unsigned_abs(),
            })
            .collect())
    }

    /// How long until something is due for an open endpoint; `None` when nothing waits.
    pub async fn next_due(&self, without: &[Uuid]) -> Result<Option<Duration>, StoreError> {
        let wait_ms = sqlx::query_scalar!(
            r#"-- pending::next_due
            WITH RECURSIVE listed AS (
                (SELECT p.endpoint_id FROM pending p ORDER BY p.endpoint_id LIMIT 1)
                UNION ALL
                SELECT (SELECT p.endpoint_id FROM pending p WHERE p.endpoint_id > l.endpoint_id
                        ORDER BY p.endpoint_id LIMIT 1)
                FROM listed l WHERE l.endpoint_id IS NOT NULL
            )
            SELECT ceil(extract(epoch FROM min(first.due_at) - now()) * 1000)::bigint
            FROM listed l JOIN endpoint e ON e.id = l.endpoint_id
            CROSS JOIN LATERAL (
                SELECT p.due_at FROM pending p WHERE p.endpoint_id = e.id ORDER BY p.due_at LIMIT 1
            ) first
            WHERE (e.disabled_at IS NULL AND e.paused_at IS NULL AND e.deleted_at IS NULL) IS TRUE
              AND NOT EXISTS (SELECT FROM application a WHERE a.id = e.application_id AND a.paused_at IS NOT NULL)
              AND NOT EXISTS (SELECT FROM dispatching WHERE singleton AND paused_at IS NOT NULL)
              AND e.id <> ALL($1::uuid[])"#,
            without,
        )
        .fetch_one(&self.queue)
        .await?;
        Ok(wait_ms.map(|wait| Duration::from_millis(u64::try_from(wait).unwrap_or(0))))
    }

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
                UPDATE delivery d SET state = CASE WHEN c.held THEN 3 ELSE 2 END, owner = NULL
                FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::boolean[])
                    AS c(message_id, endpoint_id, application_id, held)
                WHERE d.message_id = c.message_id AND d.endpoint_id = c.endpoint_id
                  AND (d.owner = $1 AND d.state = 1) IS TRUE
                RETURNING d.message_id, d.endpoint_id, c.application_id, d.attempts
            )
            INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
            SELECT message_id, endpoint_id, application_id, now(), attempts FROM given"#,
            epoch,
            &messages,
            &endpoints,
            &applications,
            &held,
        )
        .execute(&self.queue)
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
            UPDATE delivery d SET state = 3 FROM given g
            WHERE d.message_id = g.message_id AND d.endpoint_id = g.endpoint_id
              AND (g.held AND d.state = 2) IS TRUE"#,
            epoch,
            &messages,
            &endpoints,
            &leases,
            &held,
        )
        .execute(&self.queue)
        .await?;
        Ok(())
    }
}
