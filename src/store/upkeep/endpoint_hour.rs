//! The rollups: what ended and what was tried, by endpoint and hour. `outcome.rs` writes them, in the statement that
//! records the outcomes; here they are kept small.

use chrono::TimeDelta;

use crate::store::StoreError;

use super::UpkeepStore;

/// How long the hours are kept: statistics look back no further.
const HOURS_RETENTION: TimeDelta = TimeDelta::days(90);

impl UpkeepStore {
    /// Adds the rows of all nodes for an hour that is over into one, so that restarts leave no trace: up to `chunk` of
    /// them. An hour rests first, until no statement of it can be under way. Returns how many rows were folded.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was folded then.
    pub async fn fold_rollups(&self, chunk: i64) -> Result<u64, StoreError> {
        let folded = sqlx::query_scalar!(
            r#"-- endpoint_hour::fold
            WITH over AS MATERIALIZED (
                SELECT endpoint_id, hour, node FROM endpoint_hour
                WHERE node <> 0 AND hour < date_trunc('hour', now(), 'UTC') - interval '1 hour'
                ORDER BY hour LIMIT $1 FOR UPDATE SKIP LOCKED
            ), taken AS (
                DELETE FROM endpoint_hour h USING over o
                WHERE h.endpoint_id = o.endpoint_id AND h.hour = o.hour AND h.node = o.node
                RETURNING h.*
            ), folded AS (
                INSERT INTO endpoint_hour AS r (endpoint_id, hour, node, application_id, delivered, dead, status_2xx,
                    status_3xx, status_4xx, status_5xx, no_response, duration_ms, cancelled, last_delivered_at,
                    first_failed_at, last_failed_at)
                SELECT endpoint_id, hour, 0, application_id, sum(delivered), sum(dead), sum(status_2xx),
                       sum(status_3xx), sum(status_4xx), sum(status_5xx), sum(no_response), sum(duration_ms),
                       sum(cancelled),
                       max(last_delivered_at), min(first_failed_at), max(last_failed_at)
                FROM taken GROUP BY endpoint_id, hour, application_id
                ON CONFLICT (endpoint_id, hour, node) DO UPDATE SET
                    delivered = r.delivered + excluded.delivered, dead = r.dead + excluded.dead,
                    status_2xx = r.status_2xx + excluded.status_2xx, status_3xx = r.status_3xx + excluded.status_3xx,
                    status_4xx = r.status_4xx + excluded.status_4xx, status_5xx = r.status_5xx + excluded.status_5xx,
                    no_response = r.no_response + excluded.no_response,
                    duration_ms = r.duration_ms + excluded.duration_ms,
                    cancelled = r.cancelled + excluded.cancelled,
                    last_delivered_at = greatest(excluded.last_delivered_at, r.last_delivered_at),
                    first_failed_at = least(r.first_failed_at, excluded.first_failed_at),
                    last_failed_at = greatest(excluded.last_failed_at, r.last_failed_at)
            )
            SELECT count(*) AS "folded!" FROM taken"#,
            chunk,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(folded.unsigned_abs())
    }

    /// Deletes up to `chunk` rows of hours that are older than is kept, and were folded. Returns how many went.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was deleted then.
    pub async fn delete_old_rollups(&self, chunk: i64) -> Result<u64, StoreError> {
        let deleted = sqlx::query!(
            r#"-- endpoint_hour::delete_old
            WITH old AS MATERIALIZED (
                SELECT endpoint_id, hour FROM endpoint_hour
                WHERE node = 0 AND hour < now() - make_interval(hours => $1::integer) ORDER BY hour LIMIT $2
            )
            DELETE FROM endpoint_hour h USING old o
            WHERE h.endpoint_id = o.endpoint_id AND h.hour = o.hour AND h.node = 0"#,
            i32::try_from(HOURS_RETENTION.num_hours()).unwrap_or(i32::MAX),
            chunk,
        )
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }
}
