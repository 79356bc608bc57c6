//! The end of dead letters. Those that somebody decided on are found in the order in which that was, open ones in the order
//! in which they died: so neither kind is in the way of the other, and what is younger than anybody's retention is not read.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::StoreError;
use crate::store::database::interval::interval;

use super::UpkeepStore;
use super::chunk_progress::ChunkProgress;

/// How long dead letters are kept where nobody else says it.
#[derive(Debug, Clone, Copy)]
pub struct KeptDeadLetters {
    /// After they were replayed or discarded.
    pub decided: Duration,
    /// After they died, if nobody deals with them; `None` for ever.
    pub open: Option<Duration>,
}

/// Nothing younger is past anybody's retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadLetterBounds {
    /// Of those that were replayed or discarded.
    pub decided: DateTime<Utc>,
    /// Of open ones; `None` when everybody keeps them for ever.
    pub open: Option<DateTime<Utc>>,
}

impl UpkeepStore {
    /// Where the shortest retentions of dead letters that anybody has end. `kept` is the server's.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn dead_letter_bounds(&self, kept: KeptDeadLetters) -> Result<DeadLetterBounds, StoreError> {
        let bounds = sqlx::query_as!(
            DeadLetterBounds,
            r#"-- dead_letter::bounds
            SELECT now() - least($1::interval, make_interval(hours => 24 * (
                    SELECT (retention ->> 'deadLetterRetentionDays')::integer FROM application
                    WHERE retention <> '{}' AND (retention ->> 'deadLetterRetentionDays')::integer IS NOT NULL
                    ORDER BY (retention ->> 'deadLetterRetentionDays')::integer LIMIT 1)), make_interval(hours => 24 * (
                    SELECT (retention ->> 'deadLetterRetentionDays')::integer FROM environment
                    WHERE retention <> '{}' AND (retention ->> 'deadLetterRetentionDays')::integer IS NOT NULL
                    ORDER BY (retention ->> 'deadLetterRetentionDays')::integer LIMIT 1))) AS "decided!",
                   now() - least($2::interval, make_interval(hours => 24 * (
                    SELECT (retention ->> 'openDeadLetterRetentionDays')::integer FROM application
                    WHERE retention <> '{}' AND (retention ->> 'openDeadLetterRetentionDays')::integer IS NOT NULL
                    ORDER BY (retention ->> 'openDeadLetterRetentionDays')::integer LIMIT 1)), make_interval(hours => 24 * (
                    SELECT (retention ->> 'openDeadLetterRetentionDays')::integer FROM environment
                    WHERE retention <> '{}' AND (retention ->> 'openDeadLetterRetentionDays')::integer IS NOT NULL
                    ORDER BY (retention ->> 'openDeadLetterRetentionDays')::integer LIMIT 1))) AS open"#,
            interval(kept.decided),
            kept.open.map(interval),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(bounds)
    }

    /// Of the next `chunk` dead letters that were replayed or discarded after `after` and before `bound`, and those of the same
    /// moment as the last of them, which one transaction has decided on, deletes those of which that was longer ago than
    /// their application keeps them; where neither it nor its environment says it, than `kept`.
    /// One that is replayed and still waits may go: if it dies again, its message is there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn retire_decided_dead_letters(
        &self,
        kept: Duration,
        bound: DateTime<Utc>,
        after: DateTime<Utc>,
        chunk: i64,
    ) -> Result<ChunkProgress<DateTime<Utc>>, StoreError> {
        let walked = sqlx::query!(
            r#"-- dead_letter::retire_decided
            WITH looked_at AS MATERIALIZED (
                SELECT l.id, l.application_id, l.environment_id, coalesce(l.replayed_at, l.discarded_at) AS decided_at
                FROM dead_letter l
                WHERE (l.replayed_at IS NOT NULL OR l.discarded_at IS NOT NULL)
                  AND coalesce(l.replayed_at, l.discarded_at) > $1 AND coalesce(l.replayed_at, l.discarded_at) < $2
                ORDER BY coalesce(l.replayed_at, l.discarded_at) FETCH FIRST $3 ROWS WITH TIES
            ), old AS MATERIALIZED (
                SELECT l.id, l.decided_at FROM looked_at l
                LEFT JOIN application a ON a.id = l.application_id
                LEFT JOIN environment e ON e.id = l.environment_id
                WHERE l.decided_at < now() - coalesce(
                    kept_for(a.retention, e.retention, 'deadLetterRetentionDays'), $4::interval)
            ), deleted AS (
                -- Unless somebody has dealt with it just now, or it died again.
                DELETE FROM dead_letter l USING old o
                WHERE l.id = o.id AND coalesce(l.replayed_at, l.discarded_at) = o.decided_at
                RETURNING 1
            )
            SELECT (SELECT count(*) FROM deleted) AS "done!", count(*) AS "seen!", max(decided_at) AS last
            FROM looked_at"#,
            after,
            bound,
            chunk,
            interval(kept),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(ChunkProgress::after_chunk(walked.done, walked.seen, walked.last, chunk))
    }

    /// Of the next `chunk` dead letters after `after` that died before `bound`, deletes open ones that died longer ago than
    /// their application keeps them; where neither it nor its environment says it, than `kept`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn retire_open_dead_letters(
        &self,
        kept: Option<Duration>,
        bound: DateTime<Utc>,
        after: Uuid,
        chunk: i64,
    ) -> Result<ChunkProgress, StoreError> {
        let walked = sqlx::query!(
            r#"-- dead_letter::retire_open
            WITH looked_at AS MATERIALIZED (
                SELECT l.id, l.application_id, l.environment_id, l.died_at,
                       l.replayed_at IS NULL AND l.discarded_at IS NULL AS is_open
                FROM dead_letter l WHERE l.id > $1 AND l.id < uuid_at($2) ORDER BY l.id LIMIT $3
            ), old AS MATERIALIZED (
                SELECT l.id, l.died_at FROM looked_at l
                LEFT JOIN application a ON a.id = l.application_id
                LEFT JOIN environment e ON e.id = l.environment_id
                WHERE l.is_open AND l.died_at < now() - coalesce(
                    kept_for(a.retention, e.retention, 'openDeadLetterRetentionDays'), $4::interval)
            ), deleted AS (
                -- Unless somebody has dealt with it just now.
                DELETE FROM dead_letter l USING old o
                WHERE l.id = o.id AND l.died_at = o.died_at AND coalesce(l.replayed_at, l.discarded_at) IS NULL
                RETURNING 1
            )
            SELECT (SELECT count(*) FROM deleted) AS "done!", count(*) AS "seen!",
                   (array_agg(id ORDER BY id DESC))[1] AS last
            FROM looked_at"#,
            after,
            bound,
            chunk,
            kept.map(interval),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(ChunkProgress::after_chunk(walked.done, walked.seen, walked.last, chunk))
    }
}
