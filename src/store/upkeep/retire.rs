//! The end of what is over: what somebody decided on long ago, what has expired, what was taken back. Each function
//! deletes a bounded number of rows, the oldest first by an index, in a transaction of its own; call it again while it
//! returns a full chunk.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::domain::access::token_cutoff::SESSION_TOKEN_LIFETIME;
use crate::store::StoreError;
use crate::store::database::interval::interval;

use super::UpkeepStore;
use super::chunk_progress::ChunkProgress;

/// Nobody keeps anything for less.
pub(super) const SHORTEST_RETENTION: Duration = Duration::from_secs(86_400);

/// Clocks of nodes, and of whoever issues tokens, differ by less.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::hours(1);

/// What of background tasks was deleted in a chunk.
struct DeletedTasks {
    /// Parts of what they found out.
    findings: u64,
    /// Parts of what they follow.
    followed: u64,
    tasks: u64,
}

impl UpkeepStore {
    /// Of the next `chunk` background tasks that ended after `after`, and those that ended at the same moment as the last of
    /// them, deletes those that ended longer ago than they are kept: `kept`, where neither their application nor their
    /// environment says it. What they found out and what they follow goes before them, `chunk` rows of each at most; where
    /// there is more of it, the walk stays where it is.
    pub async fn retire_tasks(
        &self,
        kept: Duration,
        after: DateTime<Utc>,
        chunk: i64,
    ) -> Result<ChunkProgress<DateTime<Utc>>, StoreError> {
        let looked_at = sqlx::query!(
            r#"-- background_task::ended_after
            SELECT t.id, t.updated_at,
                   t.updated_at < now() - coalesce(kept_for(a.retention, e.retention, 'taskRetentionDays'), $3::interval)
                       AS "is_over!"
            FROM background_task t
            LEFT JOIN application a ON a.id = t.application_id
            LEFT JOIN environment e ON e.id = t.environment_id
            WHERE t.state <> 'running' AND t.updated_at > $1 AND t.updated_at < now() - $4::interval
            ORDER BY t.updated_at FETCH FIRST $2 ROWS WITH TIES"#,
            after,
            chunk,
            interval(kept),
            interval(SHORTEST_RETENTION),
        )
        .fetch_all(&self.pool)
        .await?;
        let Some(last) = looked_at.last().map(|task| task.updated_at) else {
            return Ok(ChunkProgress::default());
        };
        let is_last = looked_at.len() < usize::try_from(chunk).unwrap_or(usize::MAX);
        let over: Vec<Uuid> = looked_at.into_iter().filter(|task| task.is_over).map(|task| task.id).collect();
        let deleted = self.delete_tasks(&over, chunk).await?;
        let is_full = deleted.findings.max(deleted.followed) >= chunk.unsigned_abs();
        let done = deleted.findings + deleted.followed + deleted.tasks;
        Ok(ChunkProgress { done, next: if is_full { Some(after) } else { Some(last).filter(|_| !is_last) } })
    }

    /// Deletes up to `chunk` rows each of what these tasks found out and follow, and those of which nothing is left.
    async fn delete_tasks(&self, tasks: &[Uuid], chunk: i64) -> Result<DeletedTasks, StoreError> {
        let findings = sqlx::query!(
            r#"-- background_task::retire_findings
            WITH parts AS MATERIALIZED (
                SELECT p.task_id, p.number FROM unnest($1::uuid[]) AS e(id) CROSS JOIN LATERAL (
                    SELECT p.task_id, p.number FROM background_task_part p WHERE p.task_id = e.id LIMIT $2
                ) p LIMIT $2
            )
            DELETE FROM background_task_part p USING parts q WHERE p.task_id = q.task_id AND p.number = q.number"#,
            tasks,
            chunk,
        )
        .execute(&self.pool)
        .await?;
        let followed = sqlx::query!(
            r#"-- replay_part::retire
            WITH parts AS MATERIALIZED (
                SELECT p.task_id, p.number FROM unnest($1::uuid[]) AS e(id) CROSS JOIN LATERAL (
                    SELECT p.task_id, p.number FROM replay_part p WHERE p.task_id = e.id LIMIT $2
                ) p LIMIT $2
            )
            DELETE FROM replay_part p USING parts q WHERE p.task_id = q.task_id AND p.number = q.number"#,
            tasks,
            chunk,
        )
        .execute(&self.pool)
        .await?;
        let tasks = sqlx::query!(
            r#"-- background_task::retire
            WITH ended AS MATERIALIZED (
                SELECT t.id FROM background_task t WHERE t.id = ANY($1) AND t.state <> 'running' FOR UPDATE SKIP LOCKED
            )
            DELETE FROM background_task t USING ended e
            WHERE t.id = e.id AND (SELECT true FROM background_task_part p WHERE p.task_id = e.id LIMIT 1) IS NULL
              AND (SELECT true FROM replay_part p WHERE p.task_id = e.id LIMIT 1) IS NULL"#,
            tasks,
        )
        .execute(&self.pool)
        .await?;
        Ok(DeletedTasks {
            findings: findings.rows_affected(),
            followed: followed.rows_affected(),
            tasks: tasks.rows_affected(),
        })
    }

    /// Deletes answers kept for idempotency keys whose time had no partition, `kept` after that time.
    pub async fn retire_keys_outside_slots(&self, kept: Duration, chunk: i64) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            r#"-- idempotency_key::retire_outside_slots
            WITH old AS MATERIALIZED (
                SELECT key_hash, slot FROM idempotency_key_default WHERE slot < now() - $1::interval
                ORDER BY slot LIMIT $2 FOR UPDATE SKIP LOCKED
            )
            DELETE FROM idempotency_key_default k USING old WHERE k.key_hash = old.key_hash AND k.slot = old.slot"#,
            interval(kept),
            chunk,
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
