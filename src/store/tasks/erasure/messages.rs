//! Erasing messages, with all that came of them.

use uuid::Uuid;

use crate::domain::erasure::{Erased, ErasureOrder};
use crate::domain::id::MessageId;
use crate::store::StoreError;
use crate::store::database::connection::Connection;
use crate::store::database::span::{earliest_after, latest_before};
use crate::store::tasks::chunk::LockedTask;
use crate::store::tasks::expunge::{expunge, in_hand};
use crate::store::tasks::rows::{first_of, is_full, rows_of_chunk};
use crate::store::tasks::settled::delete_settled;

use super::{Part, Place};

/// Erases the next `chunk` messages of an application that are meant, or some rows of what hangs on them: then the same
/// messages come again in the next step, with fewer of them.
pub(super) async fn erase(
    tx: &mut Connection,
    task: &LockedTask,
    order: &ErasureOrder,
    application: Uuid,
    place: &Place,
    chunk: i64,
) -> Result<Part, StoreError> {
    let rows = rows_of_chunk(chunk);
    let ids = next(tx, task, order, application, place.after, chunk).await?;
    let ids = first_of(tx, ids, rows).await?;
    let Some(last) = ids.last().copied() else { return Ok(Part::Over) };
    let same_again = |erased| Ok(Part::Moved { erased, last: place.after, has_left: false });
    let waiting = call_off(tx, &ids, rows).await?;
    if is_full(waiting, rows) {
        return same_again(Erased { waiting, ..Erased::default() });
    }
    let held = in_hand(tx, &ids).await?;
    let free: Vec<Uuid> = ids.iter().copied().filter(|id| !held.contains(id)).collect();
    if free.is_empty() && place.is_again {
        return Ok(Part::Waits);
    }
    // What hangs on a message goes before it, because it is found by it.
    let attempts = delete_attempts(tx, &free, rows).await?;
    if is_full(attempts, rows) {
        return same_again(Erased { waiting, attempts, ..Erased::default() });
    }
    let dead_letters = delete_dead_letters(tx, &free, rows, rows).await?;
    if dead_letters > 0 {
        return same_again(Erased { waiting, attempts, dead_letters, ..Erased::default() });
    }
    if !expunge(tx, &held, rows).await?.is_all {
        return same_again(Erased { waiting, attempts, ..Erased::default() });
    }
    let deleted = delete_settled(tx, &free, rows).await?;
    let erased = Erased {
        messages: deleted.messages,
        deliveries: deleted.deliveries,
        waiting,
        attempts,
        dead_letters: delete_dead_letters(tx, &free, rows, 0).await?,
        event_ids: deleted.event_ids,
        ..Erased::default()
    };
    if !deleted.is_all {
        return same_again(erased);
    }
    // One that was put back to work at this very moment stays as well.
    let has_left = !held.is_empty() || still_there(tx, &free).await?;
    Ok(Part::Moved { erased, last, has_left })
}

/// The next messages that are meant, of those that were accepted before it was asked for. One that is named is meant also
/// when retention has taken it: its attempts, or a dead letter, may be there still.
async fn next(
    tx: &mut Connection,
    task: &LockedTask,
    order: &ErasureOrder,
    application: Uuid,
    after: Uuid,
    chunk: i64,
) -> Result<Vec<Uuid>, StoreError> {
    if let Some(message) = order.message_id {
        let one = Some(message.uuid()).filter(|message| *message > after);
        return Ok(one.into_iter().collect());
    }
    let below = latest_before(task.created_at);
    let Some(tag) = &order.tag else {
        let ids = sqlx::query_scalar!(
            r#"-- erasure::next_of_application
            SELECT id FROM message WHERE application_id = $1 AND id > $2 AND id < $3 ORDER BY id LIMIT $4"#,
            application,
            after,
            below,
            chunk,
        )
        .fetch_all(tx)
        .await?;
        return Ok(ids);
    };
    // What has a tag is found by an index that knows no order.
    allow_bitmaps(tx).await?;
    let ids = sqlx::query_scalar!(
        r#"-- erasure::next_tagged
        SELECT id FROM message
        WHERE application_id = $1 AND id > $2 AND id < $3 AND tags IS NOT NULL AND tags @> ARRAY[$5::text]
        ORDER BY id LIMIT $4"#,
        application,
        after,
        below,
        chunk,
        tag,
    )
    .fetch_all(tx)
    .await?;
    Ok(ids)
}

async fn allow_bitmaps(tx: &mut Connection) -> Result<(), StoreError> {
    sqlx::query!("-- erasure::allow_bitmaps\nSELECT set_config('enable_bitmapscan', 'on', true)")
        .fetch_one(tx)
        .await?;
    Ok(())
}

/// Takes what waits, and nobody has claimed, out of the queue: `rows` deliveries at most. Returns how many that were.
async fn call_off(tx: &mut Connection, messages: &[Uuid], rows: i64) -> Result<u64, StoreError> {
    let called_off = sqlx::query_scalar!(
        r#"-- erasure::call_off
        WITH waiting AS MATERIALIZED (
            SELECT p.message_id, p.endpoint_id FROM unnest($1::uuid[]) AS u(id) CROSS JOIN LATERAL (
                SELECT p.message_id, p.endpoint_id FROM pending p
                WHERE p.message_id = u.id AND (p.owner IS NULL OR p.due_at <= now()) LIMIT $2 FOR UPDATE
            ) p
            LIMIT $2
        ), cancelled AS (
            UPDATE delivery d SET state = 'cancelled', owner = NULL, settled_at = now() FROM waiting w
            WHERE d.message_id = w.message_id AND d.endpoint_id = w.endpoint_id AND d.state IN ('waiting', 'held')
        ), out_of_queue AS (
            DELETE FROM pending p USING waiting w WHERE p.message_id = w.message_id AND p.endpoint_id = w.endpoint_id
        )
        SELECT count(*) AS "count!" FROM waiting"#,
        messages,
        rows,
    )
    .fetch_one(tx)
    .await?;
    Ok(called_off.unsigned_abs())
}

/// Deletes attempts of these messages, `rows` at most.
pub(super) async fn delete_attempts(
    tx: &mut Connection,
    messages: &[Uuid],
    rows: i64,
) -> Result<u64, StoreError> {
    // No attempt is older than its message, so older partitions are not looked into.
    let oldest = messages.iter().min().copied().map(MessageId::from);
    let Some(oldest) = oldest else { return Ok(0) };
    let deleted = sqlx::query!(
        r#"-- erasure::delete_attempts
        WITH chosen AS MATERIALIZED (
            SELECT a.message_id, a.id FROM unnest($1::uuid[]) AS u(id) CROSS JOIN LATERAL (
                SELECT a.message_id, a.id FROM attempt a WHERE a.message_id = u.id AND a.id > $2 LIMIT $3
            ) a
            LIMIT $3
        )
        DELETE FROM attempt a USING chosen c WHERE a.message_id = c.message_id AND a.id = c.id AND a.id > $2"#,
        messages,
        earliest_after(oldest.created_at()),
        rows,
    )
    .execute(tx)
    .await?;
    Ok(deleted.rows_affected())
}

/// Deletes dead letters of these messages, `rows` at most; `but` of them stay for another time. A transaction deletes them
/// after their deliveries, or no deliveries.
async fn delete_dead_letters(
    tx: &mut Connection,
    messages: &[Uuid],
    rows: i64,
    but: i64,
) -> Result<u64, StoreError> {
    let deleted = sqlx::query!(
        r#"-- erasure::delete_dead_letters
        WITH chosen AS MATERIALIZED (
            SELECT l.id FROM unnest($1::uuid[]) AS u(id) CROSS JOIN LATERAL (
                SELECT l.id FROM dead_letter l WHERE l.message_id = u.id LIMIT $2::bigint + $3::bigint
            ) l
            OFFSET $3 LIMIT $2
        )
        DELETE FROM dead_letter l USING chosen c WHERE l.id = c.id"#,
        messages,
        rows,
        but,
    )
    .execute(tx)
    .await?;
    Ok(deleted.rows_affected())
}

/// Whether any of these messages is there.
async fn still_there(tx: &mut Connection, messages: &[Uuid]) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar!(
        r#"-- erasure::still_there
        SELECT EXISTS (SELECT FROM message WHERE id = ANY($1)) AS "found!""#,
        messages,
    )
    .fetch_one(tx)
    .await?;
    Ok(found)
}
