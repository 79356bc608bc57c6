//! Statistics of outcomes: this node's own row of each endpoint and hour. Nodes never wait for one another.

use uuid::Uuid;

use crate::domain::delivery::DeliveryState;
use crate::store::StoreError;
use crate::store::database::connection::Connection;

use super::OutcomeRow;

/// Adds the attempts, and the deliveries that ended, to the current hour.
pub(super) async fn add_to_hour(
    tx: &mut Connection,
    epoch: i64,
    moved: &[&OutcomeRow<'_>],
) -> Result<(), StoreError> {
    if moved.is_empty() {
        return Ok(());
    }
    let endpoints: Vec<Uuid> = moved.iter().map(|row| row.endpoint_id.uuid()).collect();
    let applications: Vec<Uuid> = moved.iter().map(|row| row.application_id.uuid()).collect();
    // Not the same as an attempt without a failure: an outcome that cannot be recorded ends as a dead letter.
    let delivered: Vec<bool> = moved.iter().map(|row| row.state() == DeliveryState::Delivered).collect();
    let dead: Vec<bool> = moved.iter().map(|row| row.state() == DeliveryState::Dead).collect();
    let failed: Vec<bool> = moved.iter().map(|row| row.outcome.failure.is_some()).collect();
    let statuses: Vec<Option<i16>> = moved.iter().map(|row| row.http_status()).collect();
    let durations: Vec<i32> = moved.iter().map(|row| row.duration_ms()).collect();
    sqlx::query!(
        r#"-- outcome::add_to_hour
        INSERT INTO endpoint_hour AS r (endpoint_id, hour, node, application_id, delivered, dead, status_2xx, status_3xx,
            status_4xx, status_5xx, no_response, duration_ms, last_delivered_at, first_failed_at, last_failed_at)
        SELECT endpoint_id, date_trunc('hour', now(), 'UTC'), $1, application_id,
               count(*) FILTER (WHERE delivered), count(*) FILTER (WHERE dead),
               count(*) FILTER (WHERE http_status / 100 = 2), count(*) FILTER (WHERE http_status / 100 = 3),
               count(*) FILTER (WHERE http_status / 100 = 4), count(*) FILTER (WHERE http_status / 100 = 5),
               count(*) FILTER (WHERE (http_status / 100 BETWEEN 2 AND 5) IS NOT TRUE),
               sum(duration_ms), CASE WHEN bool_or(NOT failed) THEN now() END,
               CASE WHEN bool_or(failed) THEN now() END, CASE WHEN bool_or(failed) THEN now() END
        FROM unnest($2::uuid[], $3::uuid[], $4::boolean[], $5::boolean[], $6::boolean[], $7::smallint[], $8::integer[])
            AS o(endpoint_id, application_id, delivered, dead, failed, http_status, duration_ms)
        GROUP BY endpoint_id, application_id
        ON CONFLICT (endpoint_id, hour, node) DO UPDATE SET
            delivered = r.delivered + excluded.delivered, dead = r.dead + excluded.dead,
            status_2xx = r.status_2xx + excluded.status_2xx, status_3xx = r.status_3xx + excluded.status_3xx,
            status_4xx = r.status_4xx + excluded.status_4xx, status_5xx = r.status_5xx + excluded.status_5xx,
            no_response = r.no_response + excluded.no_response, duration_ms = r.duration_ms + excluded.duration_ms,
            last_delivered_at = coalesce(excluded.last_delivered_at, r.last_delivered_at),
            first_failed_at = coalesce(r.first_failed_at, excluded.first_failed_at),
            last_failed_at = coalesce(excluded.last_failed_at, r.last_failed_at)"#,
        epoch,
        &endpoints,
        &applications,
        &delivered,
        &dead,
        &failed,
        &statuses as &[Option<i16>],
        &durations,
    )
    .execute(tx)
    .await?;
    Ok(())
}
