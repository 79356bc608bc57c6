//! Deliveries that have nowhere to go: their endpoint was deleted, or their endpoint stayed disabled
//! or paused for longer than deliveries are held. Maintenance turns them into dead letters, a chunk a transaction. Of an
//! application that is erased nothing is left to bury: what still waits for it is cancelled.
//!
//! Maintenance walks through the endpoints that the queue has something for, some at a time, so that an endpoint that was
//! deleted long ago costs nothing.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

use crate::domain::delivery::operational::MAX_NAMED;
use crate::domain::id::DeadLetterId;
use crate::store::StoreError;
use crate::store::queue::waiting_endpoints::waiting_endpoints_after;

use super::UpkeepStore;
use super::chunk_progress::ChunkProgress;

impl UpkeepStore {
    /// Buries up to `chunk` deliveries that nobody works on and that cannot be sent, of the next `endpoints` endpoints
    /// after `after` that something waits for. A delivery is held for `hold_limit` from when its endpoint was closed or
    /// from when it was due, whichever is later, so a replay to an endpoint that has long been closed is held as long as
    /// any. A pause of all dispatching buries nothing. Says how many were buried, and after which endpoint to go on.
    pub async fn bury_unreachable(
        &self,
        hold_limit: Duration,
        after: Uuid,
        endpoints: i64,
        chunk: i64,
    ) -> Result<ChunkProgress, StoreError> {
        let waited_for = waiting_endpoints_after(&self.pool, after, endpoints).await?;
        let Some(last) = waited_for.last().copied() else { return Ok(ChunkProgress::default()) };
        let is_last = waited_for.len() < usize::try_from(endpoints).unwrap_or(usize::MAX);
        let buried = self.bury_waiting_for(&waited_for, hold_limit, chunk).await?;
        let cancelled = self.cancel_erased(&waited_for, chunk).await?;
        let is_full = buried.max(cancelled) >= chunk.unsigned_abs();
        let next = if is_full { Some(after) } else { Some(last).filter(|_| !is_last) };
        Ok(ChunkProgress { done: buried + cancelled, next })
    }

    /// Cancels up to `chunk` deliveries that wait for these endpoints, of applications that are erased.
    async fn cancel_erased(&self, endpoints: &[Uuid], chunk: i64) -> Result<u64, StoreError> {
        let cancelled = sqlx::query_scalar!(
            r#"-- delivery::cancel_erased
            WITH erased AS MATERIALIZED (
                SELECT e.id FROM endpoint e JOIN application a ON a.id = e.application_id
                WHERE e.id = ANY($1) AND a.erased_at IS NOT NULL
            ), waiting AS MATERIALIZED (
                SELECT q.message_id, q.endpoint_id FROM erased c CROSS JOIN LATERAL (
                    SELECT p.message_id, p.endpoint_id FROM pending p
                    WHERE p.endpoint_id = c.id AND p.due_at > '-infinity' AND (p.owner IS NULL OR p.due_at <= now())
                    LIMIT $2 FOR UPDATE SKIP LOCKED
                ) q
                LIMIT $2
            ), cancelled AS (
                UPDATE delivery d SET state = 'cancelled', owner = NULL, settled_at = now() FROM waiting w
                WHERE d.message_id = w.message_id AND d.endpoint_id = w.endpoint_id AND d.state IN ('waiting', 'held')
            ), out_of_queue AS (
                DELETE FROM pending p USING waiting w
                WHERE p.message_id = w.message_id AND p.endpoint_id = w.endpoint_id
            )
            SELECT count(*) AS "cancelled!" FROM waiting"#,
            endpoints,
            chunk,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(cancelled.unsigned_abs())
    }

    async fn bury_waiting_for(
        &self,
        endpoints: &[Uuid],
        hold_limit: Duration,
        chunk: i64,
    ) -> Result<u64, StoreError> {
        let held = PgInterval {
            months: 0,
            days: 0,
            microseconds: i64::try_from(hold_limit.as_micros()).unwrap_or(i64::MAX),
        };
        let ids: Vec<Uuid> = (0..chunk).map(|_| DeadLetterId::generate().uuid()).collect();
        let buried = sqlx::query_scalar!(
            r#"-- delivery::bury_unreachable
            WITH closed AS MATERIALIZED (
                SELECT e.id, a.environment_id, e.deleted_at IS NOT NULL AS deleted
                FROM endpoint e JOIN application a ON a.id = e.application_id
                WHERE e.id = ANY($5) AND a.deleted_at IS NULL AND (e.deleted_at IS NOT NULL
                   OR least(e.disabled_at, e.paused_at, a.paused_at) <= now() - $1::interval)
            ), unreachable AS MATERIALIZED (
                SELECT q.message_id, q.endpoint_id, q.application_id, q.attempts, c.environment_id, c.deleted
                FROM closed c CROSS JOIN LATERAL (
                    SELECT p.message_id, p.endpoint_id, p.application_id, p.attempts FROM pending p
                    WHERE p.endpoint_id = c.id AND p.due_at > '-infinity' AND (p.owner IS NULL OR p.due_at <= now())
                      -- One bound of the index: what is due later is not read.
                      AND p.due_at <= CASE WHEN c.deleted THEN 'infinity' ELSE now() - $1::interval END
                    ORDER BY p.due_at LIMIT $2 FOR UPDATE SKIP LOCKED
                ) q
                LIMIT $2
            ), dead AS (
                UPDATE delivery d SET state = 'dead', owner = NULL, settled_at = now()
                FROM unreachable u
                WHERE d.message_id = u.message_id AND d.endpoint_id = u.endpoint_id AND d.state IN ('waiting', 'held')
                RETURNING u.*, d.last_status
            ), numbered AS (
                SELECT dead.*, row_number() OVER (ORDER BY message_id, endpoint_id) AS place FROM dead
            ), out_of_queue AS (
                DELETE FROM pending p USING unreachable u
                WHERE p.message_id = u.message_id AND p.endpoint_id = u.endpoint_id
            ), buried AS (
                INSERT INTO dead_letter (id, environment_id, application_id, endpoint_id, message_id, event_type,
                                         event_id, channels, tags, payload, headers, reason, last_status,
                                         attempts)
                SELECT ($3::uuid[])[n.place], n.environment_id, n.application_id, n.endpoint_id, n.message_id,
                       coalesce(m.event_type, ''), m.event_id, m.channels, m.tags, m.payload, m.headers,
                       CASE WHEN n.deleted THEN 'endpoint_deleted' ELSE 'hold_expired' END, n.last_status, n.attempts
                FROM numbered n LEFT JOIN message m ON m.id = n.message_id
                ON CONFLICT (message_id, endpoint_id)
                DO UPDATE SET reason = excluded.reason, last_status = excluded.last_status,
                              attempts = excluded.attempts, died_at = now(), replayed_at = NULL, discarded_at = NULL
                RETURNING id, environment_id, application_id, endpoint_id
            ), told AS (
                INSERT INTO operational_notice (environment_id, application_id, endpoint_id, kind, number, subjects)
                SELECT b.environment_id, b.application_id, b.endpoint_id, 'dead_letter.created', count(*),
                       (array_agg(b.id ORDER BY b.id))[1:$4]
                FROM buried b
                JOIN application a ON a.id = b.application_id
                JOIN environment n ON n.id = b.environment_id
                WHERE (n.operational_application_id IS NOT NULL AND a.purpose IS NULL) IS TRUE
                GROUP BY b.environment_id, b.application_id, b.endpoint_id
            ), counted AS (
                INSERT INTO endpoint_hour AS r (endpoint_id, hour, node, application_id, delivered, dead, status_2xx,
                                                status_3xx, status_4xx, status_5xx, no_response, duration_ms)
                SELECT endpoint_id, date_trunc('hour', now(), 'UTC'), 0, application_id, 0, count(*), 0, 0, 0, 0, 0, 0
                FROM dead GROUP BY endpoint_id, application_id
                ON CONFLICT (endpoint_id, hour, node) DO UPDATE SET dead = r.dead + excluded.dead
            )
            SELECT count(*) AS "buried!" FROM unreachable"#,
            held,
            chunk,
            &ids,
            i32::try_from(MAX_NAMED).unwrap_or(i32::MAX),
            endpoints,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(buried.unsigned_abs())
    }
}
