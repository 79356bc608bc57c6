//! Erasing what is left of an application besides its messages: dead letters, what its endpoints know, and what it is about.

use uuid::Uuid;

use crate::store::StoreError;
use crate::store::database::connection::Connection;

use super::Part;

/// Deletes the next `chunk` dead letters.
pub(super) async fn erase_dead_letters(
    tx: &mut Connection,
    application: Uuid,
    after: Uuid,
    chunk: i64,
) -> Result<Part, StoreError> {
    let deleted = sqlx::query!(
        r#"-- erase::dead_letters
        WITH chosen AS MATERIALIZED (
            SELECT id FROM dead_letter WHERE application_id = $1 AND id > $2 ORDER BY id LIMIT $3
        ), deleted AS (
            DELETE FROM dead_letter l USING chosen c WHERE l.id = c.id
        )
        SELECT count(*) AS "rows!", (array_agg(id ORDER BY id DESC))[1] AS last FROM chosen"#,
        application,
        after,
        chunk,
    )
    .fetch_one(tx)
    .await?;
    Ok(part(deleted.rows, deleted.last))
}

/// Empties the next `chunk` endpoints, and deletes their secrets.
pub(super) async fn erase_endpoints(
    tx: &mut Connection,
    application: Uuid,
    after: Uuid,
    chunk: i64,
) -> Result<Part, StoreError> {
    // An application is locked before its endpoints, and where it stands is noted afterwards.
    sqlx::query!(
        "-- erase::lock_application
        SELECT id FROM application WHERE id = $1 FOR NO KEY UPDATE",
        application,
    )
    .fetch_one(&mut *tx)
    .await?;
    let emptied = sqlx::query!(
        r#"-- erase::endpoints
        WITH chosen AS MATERIALIZED (
            SELECT id FROM endpoint WHERE application_id = $1 AND id > $2 ORDER BY id LIMIT $3
        ), emptied AS (
            UPDATE endpoint e SET headers_sealed = NULL, url_credentials_sealed = NULL, metadata = '{}', description = ''
            FROM chosen c WHERE e.id = c.id
        ), secrets AS (
            DELETE FROM endpoint_secret s USING chosen c WHERE s.endpoint_id = c.id
        )
        SELECT count(*) AS "rows!", (array_agg(id ORDER BY id DESC))[1] AS last FROM chosen"#,
        application,
        after,
        chunk,
    )
    .fetch_one(tx)
    .await?;
    Ok(part(emptied.rows, emptied.last))
}

/// Notes that nothing is left.
pub(super) async fn erase_application(tx: &mut Connection, application: Uuid) -> Result<(), StoreError> {
    sqlx::query!(
        r#"-- erase::application
        UPDATE application SET erased_at = now(), erasing = NULL, metadata = '{}' WHERE id = $1"#,
        application,
    )
    .execute(tx)
    .await?;
    Ok(())
}

fn part(rows: i64, last: Option<Uuid>) -> Part {
    last.map_or(Part::Over, |after| Part::Moved { rows: rows.unsigned_abs(), after })
}
