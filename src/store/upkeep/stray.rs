//! Rows of the way of a message that are past retention where no partition can be dropped for them: what was set aside
//! into the default partitions because it waited, what a replay put back there, and what shares a day with much that
//! still waits. They are deleted a bounded number at a time, by their keys, unless they wait.
//!
//! A delivery is locked before it is looked at once more whether its message waits. A replay of a dead letter locks the
//! delivery first, too; so it is either seen, or finds the message gone and puts it back from the dead letter's copy.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::store::StoreError;

use super::UpkeepStore;

/// Deliveries at most that are deleted in one transaction.
const DELIVERIES_PER_TRANSACTION: i64 = 5_000;

/// How far a chunk brought a walk through a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChunkProgress {
    /// So many were dealt with.
    pub done: u64,
    /// Go on after this one; `None` when it was the last.
    pub next: Option<Uuid>,
}

impl ChunkProgress {
    /// After a chunk that read `seen` rows, of which `done` were dealt with. Where it read a full chunk, there may be more
    /// after the `last` one.
    pub(super) fn after_chunk(done: i64, seen: i64, last: Option<Uuid>, chunk: i64) -> Self {
        Self { done: done.unsigned_abs(), next: last.filter(|_| seen >= chunk) }
    }
}

impl UpkeepStore {
    /// Where the last whole day that is past `retention` ends.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn whole_days_until(&self, retention: TimeDelta) -> Result<DateTime<Utc>, StoreError> {
        let until = sqlx::query_scalar!(
            r#"-- stray::whole_days_until
            SELECT date_trunc('day', now() - $1::float8 * interval '1 second', 'UTC') AS "until!""#,
            retention.as_seconds_f64(),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(until)
    }

    /// Deletes those of the next `chunk` messages after `after` that are older than `until` and do not wait, with their
    /// deliveries. Returns how many messages went.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was deleted then.
    pub async fn delete_stray_messages(
        &self,
        until: DateTime<Utc>,
        after: Uuid,
        chunk: i64,
    ) -> Result<ChunkProgress, StoreError> {
        let mut tx = self.pool.begin().await?;
        let looked_at = sqlx::query!(
            r#"-- stray::look_at
            WITH looked_at AS MATERIALIZED (
                (SELECT m.id FROM message m WHERE m.id > $1 AND m.id < uuid_at($2) ORDER BY m.id LIMIT $3)
                UNION
                (SELECT d.message_id FROM delivery d WHERE d.message_id > $1 AND d.message_id < uuid_at($2)
                 ORDER BY d.message_id LIMIT $3)
                ORDER BY 1 LIMIT $3
            )
            SELECT l.id AS "id!", (SELECT true FROM pending p WHERE p.message_id = l.id LIMIT 1) IS TRUE AS "waits!"
            FROM looked_at l ORDER BY l.id"#,
            after,
            until,
            chunk,
        )
        .fetch_all(&mut *tx)
        .await?;
        let Some(last) = looked_at.last().map(|row| row.id) else { return Ok(ChunkProgress::default()) };
        let is_last = looked_at.len() < usize::try_from(chunk).unwrap_or(usize::MAX);
        let settled: Vec<Uuid> = looked_at.into_iter().filter(|row| !row.waits).map(|row| row.id).collect();
        let locked = sqlx::query!(
            r#"-- stray::lock_deliveries
            SELECT d.message_id, d.endpoint_id
            FROM (SELECT message_id FROM unnest($1::uuid[]) AS u(message_id) ORDER BY message_id) s
            CROSS JOIN LATERAL (
                SELECT d.message_id, d.endpoint_id FROM delivery d WHERE d.message_id = s.message_id
                ORDER BY d.endpoint_id FOR UPDATE
            ) d
            LIMIT $2"#,
            &settled,
            DELIVERIES_PER_TRANSACTION,
        )
        .fetch_all(&mut *tx)
        .await?;
        let all_locked = locked.len() < usize::try_from(DELIVERIES_PER_TRANSACTION).unwrap_or(usize::MAX);
        let (messages, endpoints): (Vec<_>, Vec<_>) =
            locked.into_iter().map(|row| (row.message_id, row.endpoint_id)).unzip();
        sqlx::query!(
            r#"-- stray::delete_deliveries
            DELETE FROM delivery d USING unnest($1::uuid[], $2::uuid[]) AS u(message_id, endpoint_id)
            WHERE d.message_id = u.message_id AND d.endpoint_id = u.endpoint_id
              AND (SELECT true FROM pending p WHERE p.message_id = u.message_id LIMIT 1) IS NULL"#,
            &messages,
            &endpoints,
        )
        .execute(&mut *tx)
        .await?;
        let deleted = sqlx::query!(
            r#"-- stray::delete_messages
            DELETE FROM message m USING unnest($1::uuid[]) AS u(id)
            WHERE m.id = u.id AND (SELECT true FROM delivery d WHERE d.message_id = u.id LIMIT 1) IS NULL
              AND (SELECT true FROM pending p WHERE p.message_id = u.id LIMIT 1) IS NULL"#,
            &settled,
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        let next = if all_locked { Some(last).filter(|_| !is_last) } else { Some(after) };
        Ok(ChunkProgress { done: deleted.rows_affected(), next })
    }

    /// Deletes up to `chunk` attempts that are older than `until` and stand outside of days. Returns how many went.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was deleted then.
    pub async fn delete_stray_attempts(&self, until: DateTime<Utc>, chunk: i64) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            r#"-- stray::delete_attempts
            WITH old AS MATERIALIZED (
                SELECT message_id, id FROM attempt_default WHERE id < uuid_at($1) ORDER BY id LIMIT $2
            )
            DELETE FROM attempt_default a USING old WHERE a.message_id = old.message_id AND a.id = old.id"#,
            until,
            chunk,
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }
}
