//! Erasing the content of messages, with what receivers answered to them.

use uuid::Uuid;

use crate::domain::id::MessageId;
use crate::store::StoreError;
use crate::store::database::connection::Connection;
use crate::store::database::span::earliest_after;
use crate::store::tasks::rows::{first_of, is_full, rows_of_chunk};

use super::Part;

/// Erases the next `chunk` messages, or some rows of what hangs on them: then they come again, with fewer of them.
pub(super) async fn erase(
    tx: &mut Connection,
    application: Uuid,
    after: Uuid,
    chunk: i64,
) -> Result<Part, StoreError> {
    let rows = rows_of_chunk(chunk);
    let ids = sqlx::query_scalar!(
        r#"-- erase::next_messages
        SELECT id FROM message WHERE application_id = $1 AND id > $2 ORDER BY id LIMIT $3"#,
        application,
        after,
        chunk,
    )
    .fetch_all(&mut *tx)
    .await?;
    let ids = first_of(tx, ids, rows).await?;
    let (Some(first), Some(last)) = (ids.first().copied(), ids.last().copied()) else {
        return Ok(Part::Over);
    };
    let cancelled = cancel(tx, &ids, rows).await?;
    if is_full(cancelled, rows) {
        return Ok(Part::Moved { rows: cancelled, after });
    }
    let answers = erase_answers(tx, &ids, first.into(), rows).await?;
    if is_full(answers, rows) {
        return Ok(Part::Moved { rows: cancelled + answers, after });
    }
    erase_contents(tx, application, &ids).await?;
    Ok(Part::Moved { rows: cancelled + answers + ids.len() as u64, after: last })
}

/// What waits is cancelled. What a node has in its memory at that moment may still go out.
async fn cancel(tx: &mut Connection, messages: &[Uuid], rows: i64) -> Result<u64, StoreError> {
    let cancelled = sqlx::query_scalar!(
        r#"-- erase::cancel
        WITH waiting AS MATERIALIZED (
            SELECT p.message_id, p.endpoint_id
            FROM (SELECT id FROM unnest($1::uuid[]) AS u(id) ORDER BY id) u CROSS JOIN LATERAL (
                SELECT p.message_id, p.endpoint_id FROM pending p WHERE p.message_id = u.id
                ORDER BY p.endpoint_id LIMIT $2 FOR UPDATE
            ) p
            LIMIT $2
        ), cancelled AS (
            UPDATE delivery d SET state = 'cancelled', settled_at = now() FROM waiting w
            WHERE d.message_id = w.message_id AND d.endpoint_id = w.endpoint_id AND d.state IN ('waiting', 'held')
        ), out_of_queue AS (
            DELETE FROM pending p USING waiting w
            WHERE p.message_id = w.message_id AND p.endpoint_id = w.endpoint_id
        )
        SELECT count(*) AS "count!" FROM waiting"#,
        messages,
        rows,
    )
    .fetch_one(tx)
    .await?;
    Ok(cancelled.unsigned_abs())
}

/// What receivers answered, and under which URL. No attempt is older than its message, so older partitions are not looked
/// into.
async fn erase_answers(
    tx: &mut Connection,
    messages: &[Uuid],
    oldest: MessageId,
    rows: i64,
) -> Result<u64, StoreError> {
    let erased = sqlx::query!(
        r#"-- erase::answers
        WITH chosen AS MATERIALIZED (
            SELECT a.message_id, a.id FROM unnest($1::uuid[]) AS u(id) CROSS JOIN LATERAL (
                SELECT a.message_id, a.id FROM attempt a
                WHERE a.message_id = u.id AND a.id > $2
                  AND (a.url <> '' OR a.response_body IS NOT NULL OR a.response_headers IS NOT NULL)
                LIMIT $3
            ) a
            LIMIT $3
        )
        UPDATE attempt a SET response_body = NULL, response_headers = NULL, url = '' FROM chosen c
        WHERE a.message_id = c.message_id AND a.id = c.id AND a.id > $2"#,
        messages,
        earliest_after(oldest.created_at()),
        rows,
    )
    .execute(tx)
    .await?;
    Ok(erased.rows_affected())
}

async fn erase_contents(tx: &mut Connection, application: Uuid, messages: &[Uuid]) -> Result<(), StoreError> {
    sqlx::query!(
        r#"-- erase::contents
        WITH names AS (
            DELETE FROM message_event_id e USING message m
            WHERE m.id = ANY($2) AND e.application_id = $1 AND e.event_id = m.event_id
        )
        UPDATE message SET payload = NULL, headers = NULL, event_id = NULL, channels = NULL, tags = NULL
        WHERE id = ANY($2)
          AND (payload IS NOT NULL OR event_id IS NOT NULL OR channels IS NOT NULL OR tags IS NOT NULL)"#,
        application,
        messages,
    )
    .execute(tx)
    .await?;
    Ok(())
}
