//! Erasing what an application set up: its endpoints with their secrets, URLs and headers, its test inboxes, and what it is
//! called. Its row stays, under its id alone, as long as the audit log may name it; maintenance takes it away. Counts by
//! hour and minute stay to the end of their time: there is nothing in them but ids and numbers.

use uuid::Uuid;

use crate::domain::erasure::{Erased, ErasureOrder};
use crate::store::StoreError;
use crate::store::database::connection::Connection;

use super::Part;

/// Erases up to `chunk` endpoints, and the rest when none is left. Only of an application that is erased as a whole.
pub(super) async fn erase(
    tx: &mut Connection,
    order: &ErasureOrder,
    application: Uuid,
    chunk: i64,
) -> Result<Part, StoreError> {
    if order.message_id.is_some() || order.tag_hash.is_some() {
        return Ok(Part::Over);
    }
    let endpoints = sqlx::query!(
        r#"-- erasure::endpoints
        WITH chosen AS MATERIALIZED (
            SELECT id FROM endpoint WHERE application_id = $1 ORDER BY id LIMIT $2 FOR UPDATE
        ), health AS (
            DELETE FROM endpoint_health h USING chosen c WHERE h.endpoint_id = c.id
        ), throttles AS (
            DELETE FROM endpoint_throttle t USING chosen c WHERE t.endpoint_id = c.id
        ), notices AS (
            DELETE FROM operational_notice o USING chosen c WHERE o.endpoint_id = c.id AND NOT o.sealed
        ), secrets AS (
            DELETE FROM endpoint_secret s USING chosen c WHERE s.endpoint_id = c.id RETURNING 1
        )
        SELECT array(SELECT id FROM chosen) AS "ids!", (SELECT count(*) FROM secrets) AS "secrets!""#,
        application,
        chunk,
    )
    .fetch_one(&mut *tx)
    .await?;
    if !endpoints.ids.is_empty() {
        // After their secrets, which refer to them.
        let deleted = sqlx::query!(
            r#"-- erasure::delete_endpoints
            DELETE FROM endpoint WHERE id = ANY($1)"#,
            &endpoints.ids,
        )
        .execute(tx)
        .await?;
        let erased = Erased {
            endpoints: deleted.rows_affected(),
            secrets: endpoints.secrets.unsigned_abs(),
            ..Erased::default()
        };
        return Ok(Part::Moved { erased, last: Uuid::nil(), has_left: false });
    }
    let inboxes = sqlx::query!(
        r#"-- erasure::inboxes
        DELETE FROM inbox WHERE application_id = $1"#,
        application,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        r#"-- erasure::application
        UPDATE application SET name = '', uid = NULL, metadata = '{}' WHERE id = $1 AND deleted_at IS NOT NULL"#,
        application,
    )
    .execute(tx)
    .await?;
    if inboxes.rows_affected() == 0 {
        return Ok(Part::Over);
    }
    let erased = Erased { inboxes: inboxes.rows_affected(), ..Erased::default() };
    Ok(Part::Moved { erased, last: Uuid::nil(), has_left: false })
}
