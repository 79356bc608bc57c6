//! Messages and attempts that are past what their application keeps, wherever they stand: in a day that stays because
//! something else in it is needed, in a day of others, or set aside. They are found application by application, and
//! endpoint by endpoint, by skipping through an index from one to the next; so what is kept for longer is not read. A day
//! is kept as a whole: something goes when the day that it is of is past.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::store::StoreError;
use crate::store::tasks::rows::rows_of_chunk;
use crate::store::tasks::settled::delete_settled;

use super::UpkeepStore;
use super::chunk_progress::ChunkProgress;

/// Of whom something may be past retention, and until when that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastRetention {
    /// An application, or an endpoint.
    pub id: Uuid,
    /// What is older is past its retention: the beginning of a day.
    pub until: DateTime<Utc>,
}

impl UpkeepStore {
    /// Where the shortest retention that anybody has ends: nothing younger is past its own. `server` is the server's.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn shortest_retention_until(&self, server: TimeDelta) -> Result<DateTime<Utc>, StoreError> {
        let until = sqlx::query_scalar!(
            r#"-- retention::shortest_until
            SELECT greatest(
                date_trunc('day', now() - $1::float8 * interval '1 second', 'UTC'),
                date_trunc('day', now() - make_interval(hours => 24 * (
                    SELECT (retention ->> 'messageRetentionDays')::integer FROM application
                    WHERE retention <> '{}' AND (retention ->> 'messageRetentionDays')::integer IS NOT NULL
                    ORDER BY (retention ->> 'messageRetentionDays')::integer LIMIT 1)), 'UTC'),
                date_trunc('day', now() - make_interval(hours => 24 * (
                    SELECT (retention ->> 'messageRetentionDays')::integer FROM environment
                    WHERE retention <> '{}' AND (retention ->> 'messageRetentionDays')::integer IS NOT NULL
                    ORDER BY (retention ->> 'messageRetentionDays')::integer LIMIT 1)), 'UTC')
            ) AS "until!""#,
            server.as_seconds_f64(),
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(until)
    }

    /// The next `limit` applications after `after` that have messages older than `bound`, each with its own end.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn applications_past_retention(
        &self,
        server: TimeDelta,
        bound: DateTime<Utc>,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<PastRetention>, StoreError> {
        let found = sqlx::query_as!(
            PastRetention,
            r#"-- retention::applications
            WITH RECURSIVE found AS (
                (SELECT m.application_id, 1::bigint AS place FROM message m
                 WHERE m.application_id > $1 AND m.id < uuid_at($2) ORDER BY m.application_id LIMIT 1)
                UNION ALL
                SELECT next.application_id, f.place + 1 FROM found f CROSS JOIN LATERAL (
                    SELECT m.application_id FROM message m
                    WHERE m.application_id > f.application_id AND m.id < uuid_at($2) ORDER BY m.application_id LIMIT 1
                ) next
                WHERE f.place < $3
            )
            SELECT f.application_id AS "id!",
                   date_trunc('day', now() - coalesce(
                       kept_for(a.retention, e.retention, 'messageRetentionDays'), $4::float8 * interval '1 second'),
                       'UTC') AS "until!"
            FROM found f
            LEFT JOIN application a ON a.id = f.application_id
            LEFT JOIN environment e ON e.id = a.environment_id
            ORDER BY f.place"#,
            after,
            bound,
            limit,
            server.as_seconds_f64(),
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(found)
    }

    /// Of the next `chunk` messages after `after` of an application that are past its retention, deletes those that have
    /// ended, with their deliveries and their `eventId`s. Returns how many messages went.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was deleted then.
    pub async fn delete_messages_of(
        &self,
        application: PastRetention,
        after: Uuid,
        chunk: i64,
    ) -> Result<ChunkProgress, StoreError> {
        let mut tx = self.pool.begin().await?;
        let looked_at = sqlx::query!(
            r#"-- retention::look_at
            SELECT m.id AS "id!",
                   ((SELECT true FROM pending p WHERE p.message_id = m.id LIMIT 1) IS TRUE
                    OR (SELECT true FROM delivery d
                        WHERE d.message_id = m.id AND d.state = 'in_flight' LIMIT 1) IS TRUE)
                       AS "stays!"
            FROM message m WHERE m.application_id = $1 AND m.id > $2 AND m.id < uuid_at($3) ORDER BY m.id LIMIT $4"#,
            application.id,
            after,
            application.until,
            chunk,
        )
        .fetch_all(&mut *tx)
        .await?;
        let Some(last) = looked_at.last().map(|row| row.id) else { return Ok(ChunkProgress::default()) };
        let is_last = looked_at.len() < usize::try_from(chunk).unwrap_or(usize::MAX);
        let settled: Vec<Uuid> = looked_at.into_iter().filter(|row| !row.stays).map(|row| row.id).collect();
        let deleted = delete_settled(&mut tx, &settled, rows_of_chunk(chunk)).await?;
        tx.commit().await?;
        let next = if deleted.is_all { Some(last).filter(|_| !is_last) } else { Some(after) };
        Ok(ChunkProgress { done: deleted.messages, next })
    }

    /// The next `limit` endpoints after `after` that have attempts older than `bound`, each with the end of its
    /// application.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn endpoints_past_retention(
        &self,
        server: TimeDelta,
        bound: DateTime<Utc>,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<PastRetention>, StoreError> {
        let found = sqlx::query_as!(
            PastRetention,
            r#"-- retention::endpoints
            WITH RECURSIVE found AS (
                (SELECT t.endpoint_id, 1::bigint AS place FROM attempt t
                 WHERE t.endpoint_id > $1 AND t.id < uuid_at($2) ORDER BY t.endpoint_id LIMIT 1)
                UNION ALL
                SELECT next.endpoint_id, f.place + 1 FROM found f CROSS JOIN LATERAL (
                    SELECT t.endpoint_id FROM attempt t
                    WHERE t.endpoint_id > f.endpoint_id AND t.id < uuid_at($2) ORDER BY t.endpoint_id LIMIT 1
                ) next
                WHERE f.place < $3
            )
            SELECT f.endpoint_id AS "id!",
                   date_trunc('day', now() - coalesce(
                       kept_for(a.retention, e.retention, 'messageRetentionDays'), $4::float8 * interval '1 second'),
                       'UTC') AS "until!"
            FROM found f
            LEFT JOIN endpoint p ON p.id = f.endpoint_id
            LEFT JOIN application a ON a.id = p.application_id
            LEFT JOIN environment e ON e.id = a.environment_id
            ORDER BY f.place"#,
            after,
            bound,
            limit,
            server.as_seconds_f64(),
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(found)
    }

    /// Deletes up to `chunk` attempts at an endpoint that are past its application's retention, the oldest first. Returns
    /// how many went.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was deleted then.
    pub async fn delete_attempts_at(&self, endpoint: PastRetention, chunk: i64) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            r#"-- retention::delete_attempts
            WITH old AS MATERIALIZED (
                SELECT message_id, id FROM attempt WHERE endpoint_id = $1 AND id < uuid_at($2) ORDER BY id LIMIT $3
            )
            DELETE FROM attempt a USING old WHERE a.message_id = old.message_id AND a.id = old.id"#,
            endpoint.id,
            endpoint.until,
            chunk,
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }
}
