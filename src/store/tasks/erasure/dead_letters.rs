//! Erasing dead letters that outlived their messages, with what is left of their attempts.

use uuid::Uuid;

use crate::domain::erasure::{Erased, ErasureOrder};
use crate::store::StoreError;
use crate::store::database::connection::Connection;
use crate::store::database::span::latest_before;
use crate::store::tasks::chunk::LockedTask;

use super::messages::delete_attempts;
use super::{Part, Place};

/// Of the next `chunk` dead letters of an application, erases those that are meant: all, or those with the tag. Those of
/// a message that is named went with it.
pub(super) async fn erase(
    tx: &mut Connection,
    task: &LockedTask,
    order: &ErasureOrder,
    application: Uuid,
    place: &Place,
    chunk: i64,
) -> Result<Part, StoreError> {
    if order.message_id.is_some() {
        return Ok(Part::Over);
    }
    let read = sqlx::query!(
        r#"-- erasure::dead_letters
        WITH next AS MATERIALIZED (
            SELECT id, message_id, tags FROM dead_letter WHERE application_id = $1 AND id > $2 ORDER BY id LIMIT $3
        ), meant AS MATERIALIZED (
            SELECT id, message_id FROM next
            WHERE message_id < $5 AND ($4::text IS NULL OR ($4 = ANY(tags)) IS TRUE)
        ), deleted AS (
            DELETE FROM dead_letter l USING meant m WHERE l.id = m.id RETURNING l.message_id
        )
        SELECT (SELECT id FROM next ORDER BY id DESC LIMIT 1) AS last,
               array(SELECT message_id FROM deleted) AS "messages!""#,
        application,
        place.after,
        chunk,
        order.tag.as_deref(),
        latest_before(task.created_at),
    )
    .fetch_one(&mut *tx)
    .await?;
    let Some(last) = read.last else { return Ok(Part::Over) };
    let mut messages = read.messages;
    let dead_letters = messages.len() as u64;
    messages.sort_unstable();
    messages.dedup();
    let attempts = delete_attempts(tx, &messages).await?;
    let freed = sqlx::query!(
        r#"-- erasure::free_event_ids
        DELETE FROM message_event_id WHERE message_id = ANY($1)"#,
        &messages,
    )
    .execute(tx)
    .await?;
    let erased = Erased { dead_letters, attempts, event_ids: freed.rows_affected(), ..Erased::default() };
    Ok(Part::Moved { erased, last, has_left: false })
}
