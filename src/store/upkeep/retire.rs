//! The end of what is over: what somebody decided on long ago, what has expired, what was taken back. Each function
//! deletes a bounded number of rows, the oldest first by an index, in a transaction of its own; call it again while it
//! returns a full chunk.

use std::time::Duration;

use chrono::TimeDelta;
use uuid::Uuid;

use crate::domain::access::token_cutoff::SESSION_TOKEN_LIFETIME;
use crate::store::StoreError;
use crate::store::database::interval::interval;

use super::UpkeepStore;
use super::chunk_progress::ChunkProgress;

/// Nobody keeps anything for less.
const SHORTEST_RETENTION: Duration = Duration::from_secs(86_400);

/// Clocks of nodes, and of whoever issues tokens, differ by less.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::hours(1);

/// How long dead letters are kept where nobody else says it.
#[derive(Debug, Clone, Copy)]
pub struct KeptDeadLetters {
    /// After they were replayed or discarded.
    pub decided: Duration,
    /// After they died, if nobody deals with them; `None` for ever.
    pub open: Option<Duration>,
}

impl UpkeepStore {
    /// Of the next `chunk` dead letters after `after`, deletes those that were replayed or discarded, or that died and
    /// nobody has dealt with since, longer ago than their application keeps them; where neither it nor its environment
    /// says it, than is `kept`. One that is replayed and still waits may go: if it dies again, its message is there.
    pub async fn retire_dead_letters(
        &self,
        kept: KeptDeadLetters,
        after: Uuid,
        chunk: i64,
    ) -> Result<ChunkProgress, StoreError> {
        let walked = sqlx::query!(
            r#"-- dead_letter::retire
            WITH looked_at AS MATERIALIZED (
                SELECT l.id, l.application_id, l.environment_id, l.died_at,
                       coalesce(l.replayed_at, l.discarded_at) AS decided_at
                FROM dead_letter l WHERE l.id > $1 AND l.id < uuid_at(now() - $2::interval) ORDER BY l.id LIMIT $3
            ), old AS MATERIALIZED (
                SELECT l.id, l.died_at, l.decided_at FROM looked_at l
                LEFT JOIN application a ON a.id = l.application_id
                LEFT JOIN environment e ON e.id = l.environment_id
                WHERE CASE
                    WHEN l.decided_at IS NULL THEN l.died_at < now() - coalesce(
                        kept_for(a.retention, e.retention, 'openDeadLetterRetentionDays'), $5::interval)
                    ELSE l.decided_at < now() - coalesce(
                        kept_for(a.retention, e.retention, 'deadLetterRetentionDays'), $4::interval)
                END
            ), deleted AS (
                -- Unless somebody has dealt with it just now.
                DELETE FROM dead_letter l USING old o
                WHERE l.id = o.id AND l.died_at = o.died_at
                  AND coalesce(l.replayed_at, l.discarded_at) IS NOT DISTINCT FROM o.decided_at
                RETURNING 1
            )
            SELECT (SELECT count(*) FROM deleted) AS "done!", count(*) AS "seen!",
                   (array_agg(id ORDER BY id DESC))[1] AS last
            FROM looked_at"#,
            after,
            interval(SHORTEST_RETENTION),
            chunk,
            interval(kept.decided),
            kept.open.map(interval),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(ChunkProgress::after_chunk(walked.done, walked.seen, walked.last, chunk))
    }

    /// Deletes what background tasks found out that ended longer ago than they are kept: `kept`, where neither their
    /// application nor their environment says it. They are deleted after it.
    pub async fn retire_findings(&self, kept: Duration, chunk: i64) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            r#"-- background_task::retire_findings
            WITH ended AS MATERIALIZED (
                SELECT t.id FROM background_task t
                LEFT JOIN application a ON a.id = t.application_id
                LEFT JOIN environment e ON e.id = t.environment_id
                WHERE t.state <> 'running' AND t.updated_at < now() - $3::interval
                  AND t.updated_at < now() - coalesce(
                      kept_for(a.retention, e.retention, 'taskRetentionDays'), $1::interval)
                ORDER BY t.updated_at LIMIT $2
            ), parts AS MATERIALIZED (
                SELECT p.task_id, p.number FROM ended e CROSS JOIN LATERAL (
                    SELECT p.task_id, p.number FROM background_task_part p WHERE p.task_id = e.id LIMIT $2
                ) p LIMIT $2
            )
            DELETE FROM background_task_part p USING parts q WHERE p.task_id = q.task_id AND p.number = q.number"#,
            interval(kept),
            chunk,
            interval(SHORTEST_RETENTION),
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }

    /// Deletes background tasks that ended longer ago than that, and of which nothing is left that they found out.
    pub async fn retire_tasks(&self, kept: Duration, chunk: i64) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            r#"-- background_task::retire
            WITH ended AS MATERIALIZED (
                SELECT t.id FROM background_task t
                LEFT JOIN application a ON a.id = t.application_id
                LEFT JOIN environment e ON e.id = t.environment_id
                WHERE t.state <> 'running' AND t.updated_at < now() - $3::interval
                  AND t.updated_at < now() - coalesce(
                      kept_for(a.retention, e.retention, 'taskRetentionDays'), $1::interval)
                ORDER BY t.updated_at LIMIT $2 FOR UPDATE OF t SKIP LOCKED
            )
            DELETE FROM background_task t USING ended e
            WHERE t.id = e.id AND (SELECT true FROM background_task_part p WHERE p.task_id = e.id LIMIT 1) IS NULL"#,
            interval(kept),
            chunk,
            interval(SHORTEST_RETENTION),
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }

    /// Deletes what receivers asked for that holds no longer.
    pub async fn retire_throttles(&self, chunk: i64) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            r#"-- endpoint_throttle::retire
            WITH over AS MATERIALIZED (
                SELECT endpoint_id FROM endpoint_throttle WHERE kept_until < now()
                ORDER BY kept_until LIMIT $1 FOR UPDATE SKIP LOCKED
            )
            DELETE FROM endpoint_throttle t USING over o WHERE t.endpoint_id = o.endpoint_id"#,
            chunk,
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }

    /// Of the next `chunk` `eventId`s after that of the message `after`, frees those of messages older than their
    /// application keeps them; where neither it nor its environment says it, than `retention`.
    pub async fn free_event_ids(
        &self,
        retention: TimeDelta,
        after: Uuid,
        chunk: i64,
    ) -> Result<ChunkProgress, StoreError> {
        let walked = sqlx::query!(
            r#"-- message_event_id::retire
            WITH looked_at AS MATERIALIZED (
                SELECT application_id, event_id, message_id FROM message_event_id
                WHERE message_id > $1 AND message_id < uuid_at(now() - $2::float8 * interval '1 second')
                ORDER BY message_id LIMIT $3
            ), old AS MATERIALIZED (
                SELECT l.application_id, l.event_id FROM looked_at l
                LEFT JOIN application a ON a.id = l.application_id
                LEFT JOIN environment e ON e.id = a.environment_id
                WHERE coalesce(l.message_id < uuid_at(date_trunc('day',
                    now() - kept_for(a.retention, e.retention, 'messageRetentionDays'), 'UTC')), true)
            ), freed AS (
                DELETE FROM message_event_id e USING old
                WHERE e.application_id = old.application_id AND e.event_id = old.event_id
                RETURNING 1
            )
            SELECT (SELECT count(*) FROM freed) AS "done!", count(*) AS "seen!",
                   (array_agg(message_id ORDER BY message_id DESC))[1] AS last
            FROM looked_at"#,
            after,
            retention.as_seconds_f64(),
            chunk,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(ChunkProgress::after_chunk(walked.done, walked.seen, walked.last, chunk))
    }

    /// Deletes notices older than `retention`, which nobody has posted and nobody will.
    pub async fn retire_notices(&self, retention: TimeDelta, chunk: i64) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            r#"-- operational_notice::retire
            WITH old AS MATERIALIZED (
                SELECT id FROM operational_notice WHERE noted_at < now() - $1::float8 * interval '1 second'
                ORDER BY noted_at LIMIT $2 FOR UPDATE SKIP LOCKED
            )
            DELETE FROM operational_notice o USING old WHERE o.id = old.id"#,
            retention.as_seconds_f64(),
            chunk,
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }

    /// Deletes signing secrets that were rotated out and sign no longer.
    pub async fn retire_secrets(&self, chunk: i64) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            r#"-- endpoint_secret::retire
            WITH old AS MATERIALIZED (
                SELECT id FROM endpoint_secret WHERE expires_at < now() - interval '1 hour'
                ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
            )
            DELETE FROM endpoint_secret s USING old WHERE s.id = old.id"#,
            chunk,
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }

    /// Deletes API keys that were revoked, or expired, longer ago than `kept`. What was done with them stays in the
    /// audit log, under their ids.
    pub async fn retire_api_keys(&self, kept: Duration, chunk: i64) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            r#"-- api_key::retire
            WITH old AS MATERIALIZED (
                SELECT id FROM api_key
                WHERE (revoked_at IS NOT NULL OR expires_at IS NOT NULL)
                  AND least(revoked_at, expires_at) < now() - $1::interval
                ORDER BY least(revoked_at, expires_at) LIMIT $2 FOR UPDATE SKIP LOCKED
            )
            DELETE FROM api_key k USING old WHERE k.id = old.id"#,
            interval(kept),
            chunk,
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }

    /// Forgets tokens that logged out and have expired since.
    pub async fn retire_logouts(&self, chunk: i64) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            r#"-- token_logout::retire
            WITH old AS MATERIALIZED (
                SELECT hash FROM token_logout WHERE expires_at < now() - interval '1 hour'
                ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
            )
            DELETE FROM token_logout l USING old WHERE l.hash = old.hash"#,
            chunk,
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }

    /// Of the next `chunk` cutoffs after `after`, deletes those that a later one has made superfluous: it means all
    /// their tokens and more, and holds by now. Those of sessions go as well when every token that they mean has ended. The last
    /// one for all tokens stays as long as its application: a token may have no end.
    pub async fn retire_cutoffs(&self, after: Uuid, chunk: i64) -> Result<ChunkProgress, StoreError> {
        let walked = sqlx::query!(
            r#"-- token_cutoff::retire
            WITH looked_at AS MATERIALIZED (
                SELECT id, application_id, session_id, issued_until FROM token_cutoff WHERE id > $1 ORDER BY id LIMIT $2
            ), over AS MATERIALIZED (
                SELECT o.id FROM looked_at o
                WHERE o.session_id IS NOT NULL AND o.issued_until < now() - $3::float8 * interval '1 second'
                UNION
                SELECT o.id FROM looked_at o CROSS JOIN LATERAL (
                    SELECT FROM token_cutoff later
                    WHERE later.application_id = o.application_id AND later.session_id IS NULL
                      AND (later.issued_until, later.id) > (o.issued_until, o.id) AND later.effective_at <= now()
                    LIMIT 1
                ) later
                UNION
                SELECT o.id FROM looked_at o CROSS JOIN LATERAL (
                    SELECT FROM token_cutoff later
                    WHERE later.application_id = o.application_id AND later.session_id = o.session_id
                      AND (later.issued_until, later.id) > (o.issued_until, o.id) AND later.effective_at <= now()
                    LIMIT 1
                ) later
            ), deleted AS (
                DELETE FROM token_cutoff c USING over o WHERE c.id = o.id RETURNING 1
            )
            SELECT (SELECT count(*) FROM deleted) AS "done!", count(*) AS "seen!",
                   (array_agg(id ORDER BY id DESC))[1] AS last
            FROM looked_at"#,
            after,
            chunk,
            (SESSION_TOKEN_LIFETIME + CLOCKS_DIFFER).as_seconds_f64(),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(ChunkProgress::after_chunk(walked.done, walked.seen, walked.last, chunk))
    }
}
