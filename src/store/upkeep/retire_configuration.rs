//! The end of deleted endpoints and applications. What signs and opens goes soon after the deletion; the rows stay as
//! long as anything names them: messages, deliveries and attempts to the end of their retention, dead letters until
//! somebody decides. The audit log keeps ids only.

use std::time::Duration;

use chrono::TimeDelta;
use uuid::Uuid;

use crate::store::StoreError;
use crate::store::database::interval::interval;

use super::UpkeepStore;
use super::chunk_progress::ChunkProgress;

impl UpkeepStore {
    /// Deletes the secrets, and empties the sealed headers, of endpoints that were deleted longer ago than `kept`.
    /// Returns how many endpoints that were.
    pub async fn empty_deleted_endpoints(&self, kept: Duration, chunk: i64) -> Result<u64, StoreError> {
        let emptied = sqlx::query!(
            r#"-- endpoint::empty_deleted
            WITH chosen AS MATERIALIZED (
                SELECT id FROM endpoint WHERE deleted_at < now() - $1::interval AND emptied_at IS NULL
                ORDER BY deleted_at LIMIT $2 FOR UPDATE SKIP LOCKED
            ), secrets AS (
                DELETE FROM endpoint_secret s USING chosen c WHERE s.endpoint_id = c.id
            )
            UPDATE endpoint e SET headers_sealed = NULL, url_credentials_sealed = NULL, emptied_at = now() FROM chosen c WHERE e.id = c.id"#,
            interval(kept),
            chunk,
        )
        .execute(&self.pool)
        .await?;
        Ok(emptied.rows_affected())
    }

    /// Of the next `chunk` deleted endpoints after `after`, deletes those that nothing names any more and that were
    /// deleted longer ago than messages are kept: `retention`, where neither their application nor its environment says it.
    pub async fn retire_endpoints(
        &self,
        retention: TimeDelta,
        after: Uuid,
        chunk: i64,
    ) -> Result<ChunkProgress, StoreError> {
        let walked = sqlx::query!(
            r#"-- endpoint::retire
            WITH looked_at AS MATERIALIZED (
                SELECT p.id, p.emptied_at, p.deleted_at, p.application_id FROM endpoint p
                WHERE p.id > $2 AND p.deleted_at < now() - interval '24 hours' ORDER BY p.id LIMIT $3
            ), unnamed AS MATERIALIZED (
                SELECT l.id FROM looked_at l
                LEFT JOIN application a ON a.id = l.application_id
                LEFT JOIN environment v ON v.id = a.environment_id
                WHERE l.emptied_at IS NOT NULL
                  AND l.deleted_at < now() - coalesce(
                      kept_for(a.retention, v.retention, 'messageRetentionDays'), $1::float8 * interval '1 second')
                  AND (SELECT true FROM pending p WHERE p.endpoint_id = l.id AND p.due_at > '-infinity' LIMIT 1) IS NULL
                  AND (SELECT true FROM dead_letter d WHERE d.endpoint_id = l.id LIMIT 1) IS NULL
                  AND (SELECT true FROM delivery d WHERE d.endpoint_id = l.id LIMIT 1) IS NULL
                  AND (SELECT true FROM attempt a WHERE a.endpoint_id = l.id LIMIT 1) IS NULL
            ), deleted AS (
                DELETE FROM endpoint e USING unnamed u WHERE e.id = u.id RETURNING 1
            )
            SELECT (SELECT count(*) FROM deleted) AS "done!", count(*) AS "seen!",
                   (array_agg(id ORDER BY id DESC))[1] AS last
            FROM looked_at"#,
            retention.as_seconds_f64(),
            after,
            chunk,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(ChunkProgress::after_chunk(walked.done, walked.seen, walked.last, chunk))
    }

    /// Deletes up to `chunk` each of the keys, cutoffs and logouts of the next deleted application after `after`.
    pub async fn retire_credentials_of_deleted(
        &self,
        after: Uuid,
        chunk: i64,
    ) -> Result<ChunkProgress, StoreError> {
        let walked = sqlx::query!(
            r#"-- application::retire_credentials
            WITH chosen AS MATERIALIZED (
                SELECT id FROM application WHERE id > $1 AND deleted_at < now() - interval '30 days' ORDER BY id LIMIT 1
            ), keys AS (
                DELETE FROM api_key k WHERE k.id IN (
                    SELECT k.id FROM chosen c CROSS JOIN LATERAL (
                        SELECT k.id FROM api_key k WHERE k.application_id = c.id LIMIT $2) k)
                RETURNING 1
            ), cutoffs AS (
                DELETE FROM token_cutoff t WHERE t.id IN (
                    SELECT t.id FROM chosen c CROSS JOIN LATERAL (
                        SELECT t.id FROM token_cutoff t WHERE t.application_id = c.id LIMIT $2) t)
                RETURNING 1
            ), logouts AS (
                DELETE FROM token_logout l WHERE l.hash IN (
                    SELECT l.hash FROM chosen c CROSS JOIN LATERAL (
                        SELECT l.hash FROM token_logout l WHERE l.application_id = c.id LIMIT $2) l)
                RETURNING 1
            )
            SELECT (SELECT id FROM chosen) AS chosen, (SELECT count(*) FROM keys) AS "keys!",
                   (SELECT count(*) FROM cutoffs) AS "cutoffs!", (SELECT count(*) FROM logouts) AS "logouts!""#,
            after,
            chunk,
        )
        .fetch_one(&self.pool)
        .await?;
        let is_full = [walked.keys, walked.cutoffs, walked.logouts].iter().any(|count| *count >= chunk);
        let done = (walked.keys + walked.cutoffs + walked.logouts).unsigned_abs();
        Ok(ChunkProgress { done, next: if is_full { Some(after) } else { walked.chosen } })
    }

    /// Of the next `chunk` deleted applications after `after`, deletes those that nothing names any more and that were
    /// deleted longer ago than messages are kept: `retention`, where neither they nor their environment said it.
    pub async fn retire_applications(
        &self,
        retention: TimeDelta,
        after: Uuid,
        chunk: i64,
    ) -> Result<ChunkProgress, StoreError> {
        let walked = sqlx::query!(
            r#"-- application::retire
            WITH looked_at AS MATERIALIZED (
                SELECT id, erased_at, deleted_at, retention, environment_id FROM application
                WHERE id > $2 AND deleted_at < now() - interval '24 hours' ORDER BY id LIMIT $3
            ), unnamed AS MATERIALIZED (
                SELECT l.id FROM looked_at l
                LEFT JOIN environment v ON v.id = l.environment_id
                WHERE l.erased_at IS NOT NULL
                  AND l.deleted_at < now() - coalesce(
                      kept_for(l.retention, v.retention, 'messageRetentionDays'), $1::float8 * interval '1 second')
                  AND (SELECT true FROM endpoint e WHERE e.application_id = l.id LIMIT 1) IS NULL
                  AND (SELECT true FROM message m WHERE m.application_id = l.id LIMIT 1) IS NULL
                  AND (SELECT true FROM dead_letter d WHERE d.application_id = l.id LIMIT 1) IS NULL
                  AND (SELECT true FROM endpoint_hour h WHERE h.application_id = l.id LIMIT 1) IS NULL
                  AND (SELECT true FROM api_key k WHERE k.application_id = l.id LIMIT 1) IS NULL
                  AND (SELECT true FROM token_cutoff t WHERE t.application_id = l.id LIMIT 1) IS NULL
                  AND (SELECT true FROM token_logout t WHERE t.application_id = l.id LIMIT 1) IS NULL
            ), deleted AS (
                DELETE FROM application a USING unnamed u WHERE a.id = u.id RETURNING 1
            )
            SELECT (SELECT count(*) FROM deleted) AS "done!", count(*) AS "seen!",
                   (array_agg(id ORDER BY id DESC))[1] AS last
            FROM looked_at"#,
            retention.as_seconds_f64(),
            after,
            chunk,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(ChunkProgress::after_chunk(walked.done, walked.seen, walked.last, chunk))
    }
}
