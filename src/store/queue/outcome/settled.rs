//! The happy path: deliveries that arrived at their first attempt, while still in the memory of the node that accepted
//! them. One update in place and one insert each, and nothing is looked up in the queue.

use sqlx::types::Json;
use uuid::Uuid;

use crate::store::StoreError;
use crate::store::queue::QueueStore;

use super::{AttemptColumns, OutcomeRow};

impl QueueStore {
    /// Records deliveries that arrived at their first attempt. Returns how many moved; the others were no longer
    /// this node's.
    pub async fn settle_born(&self, epoch: i64, rows: &[OutcomeRow<'_>]) -> Result<usize, StoreError> {
        let a = AttemptColumns::of(rows);
        let applications: Vec<Uuid> = rows.iter().map(|row| row.application_id.uuid()).collect();
        let moved = sqlx::query_scalar!(
            r#"-- outcome::settle_born
            WITH c AS MATERIALIZED (
                SELECT * FROM unnest(
                    $2::uuid[], $3::uuid[], $4::uuid[], $5::smallint[], $6::text[]::attempt_trigger[], $7::smallint[],
                    $8::jsonb[], $9::bytea[], $10::integer[], $11::text[], $12::uuid[], $13::integer[], $14::integer[],
                    $15::integer[], $16::integer[]
                ) AS c(id, message_id, endpoint_id, number, trigger, http_status, headers, body, duration_ms, url,
                       application_id, resolve_us, connect_us, tls_us, first_byte_us)
            ), moved AS (
                UPDATE delivery d
                SET state = 'delivered', owner = NULL, attempts = c.number, last_status = c.http_status, settled_at = now()
                FROM c
                WHERE d.message_id = c.message_id AND d.endpoint_id = c.endpoint_id
                  AND (d.owner = $1 AND d.state = 'in_flight') IS TRUE
                RETURNING c.*
            ), attempted AS (
                INSERT INTO attempt (id, message_id, endpoint_id, number, trigger, delivered, http_status,
                                     response_headers, response_body, duration_ms, url, resolve_us, connect_us, tls_us,
                                     first_byte_us)
                SELECT id, message_id, endpoint_id, number, trigger, true, http_status, headers, body, duration_ms, url,
                       resolve_us, connect_us, tls_us, first_byte_us
                FROM moved
            ), counted AS (
                INSERT INTO endpoint_hour AS r (endpoint_id, hour, node, application_id, delivered, dead, status_2xx,
                    status_3xx, status_4xx, status_5xx, no_response, duration_ms, last_delivered_at)
                SELECT endpoint_id, date_trunc('hour', now(), 'UTC'), $1, application_id, count(*), 0, count(*),
                       0, 0, 0, 0, sum(duration_ms), now()
                FROM moved GROUP BY endpoint_id, application_id
                ON CONFLICT (endpoint_id, hour, node) DO UPDATE SET
                    delivered = r.delivered + excluded.delivered, status_2xx = r.status_2xx + excluded.status_2xx,
                    duration_ms = r.duration_ms + excluded.duration_ms, last_delivered_at = excluded.last_delivered_at
            )
            SELECT count(*) AS "moved!" FROM moved"#,
            epoch,
            &a.ids,
            &a.messages,
            &a.endpoints,
            &a.numbers,
            &a.triggers as &[&str],
            &a.statuses as &[Option<i16>],
            &a.headers as &[Json<&[(String, String)]>],
            &a.bodies as &[&[u8]],
            &a.durations,
            &a.urls as &[&str],
            &applications,
            &a.steps.resolve as &[Option<i32>],
            &a.steps.connect as &[Option<i32>],
            &a.steps.tls as &[Option<i32>],
            &a.steps.first_byte as &[Option<i32>],
        )
        .fetch_one(&self.record)
        .await?;
        Ok(usize::try_from(moved).unwrap_or(0))
    }
}
