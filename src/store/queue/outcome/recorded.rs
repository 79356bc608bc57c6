//! Any outcomes: what moves is decided by one statement, and what follows from it in the same transaction.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::store::StoreError;
use crate::store::database::connection::Connection;
use crate::store::queue::QueueStore;

use super::{AttemptColumns, OutcomeRow, bury, count, gone, report, requeue};

impl QueueStore {
    /// Records any outcomes: attempts, settled deliveries, retries, dead letters, and the end of endpoints that
    /// answered 410. Returns the attempts of those that moved; the others were no longer this node's.
    pub async fn record_outcomes(
        &self,
        epoch: i64,
        rows: &[OutcomeRow<'_>],
    ) -> Result<HashSet<Uuid>, StoreError> {
        let mut tx = self.record.begin().await?;
        let attempts = move_deliveries(&mut tx, epoch, rows).await?;
        let moved: Vec<&OutcomeRow<'_>> =
            rows.iter().filter(|row| attempts.contains(&row.outcome.id.uuid())).collect();
        requeue::put_back_retries(&mut tx, &moved).await?;
        requeue::take_out_ended(&mut tx, &moved).await?;
        let buried = bury::bury(&mut tx, &moved).await?;
        report::write_notices(&mut tx, &moved, &buried).await?;
        gone::disable_endpoints(&mut tx, rows).await?;
        // Last, because the rows of a busy endpoint are locked from here on.
        count::add_to_hour(&mut tx, epoch, &moved).await?;
        tx.commit().await?;
        Ok(attempts)
    }
}

/// Moves the deliveries that are still this node's, and inserts their attempts. Returns the ids of these attempts.
async fn move_deliveries(
    tx: &mut Connection,
    epoch: i64,
    rows: &[OutcomeRow<'_>],
) -> Result<HashSet<Uuid>, StoreError> {
    let a = AttemptColumns::of(rows);
    let leases: Vec<Option<DateTime<Utc>>> = rows.iter().map(|row| row.lease).collect();
    let states: Vec<&str> = rows.iter().map(|row| row.state().name()).collect();
    let moved = sqlx::query_scalar!(
        r#"-- outcome::record
        WITH c AS MATERIALIZED (
            SELECT * FROM unnest(
                $2::uuid[], $3::uuid[], $4::uuid[], $5::smallint[], $6::text[]::attempt_trigger[], $7::text[],
                $8::smallint[], $9::jsonb[], $10::bytea[], $11::integer[], $12::text[], $13::timestamptz[],
                $14::text[]::delivery_state[], $15::integer[], $16::integer[], $17::integer[], $18::integer[]
            ) AS c(id, message_id, endpoint_id, number, trigger, failure, http_status, headers, body, duration_ms, url,
                   lease, state, resolve_us, connect_us, tls_us, first_byte_us)
        ), leased AS MATERIALIZED (
            SELECT c.* FROM c
            JOIN pending p ON p.message_id = c.message_id AND p.endpoint_id = c.endpoint_id
            WHERE (p.owner = $1 AND p.due_at = c.lease) IS TRUE
            FOR UPDATE OF p
        ), ours AS MATERIALIZED (
            SELECT * FROM leased UNION ALL SELECT * FROM c WHERE c.lease IS NULL
        ), moved AS (
            UPDATE delivery d
            SET state = o.state, owner = NULL, attempts = o.number, last_status = o.http_status,
                settled_at = CASE WHEN o.state <> 'waiting' THEN now() END
            FROM ours o
            WHERE d.message_id = o.message_id AND d.endpoint_id = o.endpoint_id
              AND (CASE WHEN o.lease IS NULL THEN d.owner = $1 AND d.state = 'in_flight'
                        ELSE d.state IN ('waiting', 'held') END) IS TRUE
            RETURNING o.*
        ), attempted AS (
            INSERT INTO attempt (id, message_id, endpoint_id, number, trigger, delivered, failure, http_status,
                                 response_headers, response_body, duration_ms, url, resolve_us, connect_us, tls_us,
                                 first_byte_us)
            SELECT id, message_id, endpoint_id, number, trigger, failure IS NULL, failure, http_status, headers, body,
                   duration_ms, url, resolve_us, connect_us, tls_us, first_byte_us
            FROM moved
        )
        SELECT id AS "id!" FROM moved"#,
        epoch,
        &a.ids,
        &a.messages,
        &a.endpoints,
        &a.numbers,
        &a.triggers as &[&str],
        &a.failures as &[Option<&str>],
        &a.statuses as &[Option<i16>],
        &a.headers as &[Json<&[(String, String)]>],
        &a.bodies as &[&[u8]],
        &a.durations,
        &a.urls as &[&str],
        &leases as &[Option<DateTime<Utc>>],
        &states as &[&str],
        &a.steps.resolve as &[Option<i32>],
        &a.steps.connect as &[Option<i32>],
        &a.steps.tls as &[Option<i32>],
        &a.steps.first_byte as &[Option<i32>],
    )
    .fetch_all(tx)
    .await?;
    Ok(moved.into_iter().collect())
}
