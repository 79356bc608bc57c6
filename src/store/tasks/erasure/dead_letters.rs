//! Erasing dead letters that outlived their messages, with what is left of their attempts.

use uuid::Uuid;

use crate::domain::erasure::{Erased, ErasureOrder};
use crate::store::StoreError;
use crate::store::database::connection::Connection;
use crate::store::database::span::latest_before;
use crate::store::tasks::chunk::LockedTask;
use crate::store::tasks::rows::{is_full, rows_of_chunk};

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
        r#"-- erasure::next_dead_letters
        SELECT id, message_id, message_id < $5 AND ($4::text IS NULL OR ($4 = ANY(tags)) IS TRUE) AS "is_meant!"
        FROM dead_letter WHERE application_id = $1 AND id > $2 ORDER BY id LIMIT $3"#,
        application,
        place.after,
        chunk,
        order.tag.as_deref(),
        latest_before(task.created_at),
    )
    .fetch_all(&mut *tx)
    .await?;
    let Some(last) = read.last().map(|row| row.id) else { return Ok(Part::Over) };
    let (ids, mut messages): (Vec<Uuid>, Vec<Uuid>) =
        read.into_iter().filter(|row| row.is_meant).map(|row| (row.id, row.message_id)).unzip();
    messages.sort_unstable();
    messages.dedup();
    let rows = rows_of_chunk(chunk);
    let attempts = delete_attempts(tx, &messages, rows).await?;
    if is_full(attempts, rows) {
        // The same dead letters come again in the next step, with fewer attempts.
        let erased = Erased { attempts, ..Erased::default() };
        return Ok(Part::Moved { erased, last: place.after, has_left: false });
    }
    let deleted = sqlx::query!(
        r#"-- erasure::dead_letters
        DELETE FROM dead_letter WHERE id = ANY($1)"#,
        &ids,
    )
    .execute(&mut *tx)
    .await?;
    let freed = sqlx::query!(
        r#"-- erasure::free_event_ids
        DELETE FROM message_event_id WHERE message_id = ANY($1)"#,
        &messages,
    )
    .execute(tx)
    .await?;
    let erased = Erased {
        dead_letters: deleted.rows_affected(),
        attempts,
        event_ids: freed.rows_affected(),
        ..Erased::default()
    };
    Ok(Part::Moved { erased, last, has_left: false })
}
