//! Deleting messages that have ended, with their deliveries, by their keys: a bounded number in a transaction.
//!
//! A delivery is locked before it is looked at once more whether its message waits. A replay of a dead letter locks the
//! delivery first, too; so it is either seen, or finds the message gone and puts it back from the dead letter's copy.

use uuid::Uuid;

use crate::store::StoreError;
use crate::store::database::connection::Connection;

use super::rows::is_full;

/// What went with some messages.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::store) struct DeletedMessages {
    /// Messages.
    pub(in crate::store) messages: u64,
    /// Deliveries.
    pub(in crate::store) deliveries: u64,
    /// `eventId`s that were freed.
    pub(in crate::store) event_ids: u64,
    /// Whether the deliveries of all of them were looked at; otherwise they are to be gone through again.
    pub(in crate::store) is_all: bool,
}

/// Deletes those of these messages of which nothing waits, with their deliveries, of which `rows` at most, and their
/// `eventId`s. Who calls it has looked that nobody has them in hand.
pub(in crate::store) async fn delete_settled(
    tx: &mut Connection,
    settled: &[Uuid],
    rows: i64,
) -> Result<DeletedMessages, StoreError> {
    let locked = sqlx::query!(
        r#"-- settled::lock_deliveries
        SELECT d.message_id, d.endpoint_id
        FROM (SELECT message_id FROM unnest($1::uuid[]) AS u(message_id) ORDER BY message_id) s
        CROSS JOIN LATERAL (
            SELECT d.message_id, d.endpoint_id FROM delivery d WHERE d.message_id = s.message_id
            ORDER BY d.endpoint_id FOR UPDATE
        ) d
        LIMIT $2"#,
        settled,
        rows,
    )
    .fetch_all(&mut *tx)
    .await?;
    let is_all = !is_full(locked.len() as u64, rows);
    let (messages, endpoints): (Vec<_>, Vec<_>) =
        locked.into_iter().map(|row| (row.message_id, row.endpoint_id)).unzip();
    let deliveries = sqlx::query!(
        r#"-- settled::delete_deliveries
        DELETE FROM delivery d USING unnest($1::uuid[], $2::uuid[]) AS u(message_id, endpoint_id)
        WHERE d.message_id = u.message_id AND d.endpoint_id = u.endpoint_id
          AND (SELECT true FROM pending p WHERE p.message_id = u.message_id LIMIT 1) IS NULL"#,
        &messages,
        &endpoints,
    )
    .execute(&mut *tx)
    .await?;
    let deleted = sqlx::query!(
        r#"-- settled::delete_messages
        WITH gone AS (
            DELETE FROM message m USING unnest($1::uuid[]) AS u(id)
            WHERE m.id = u.id AND (SELECT true FROM delivery d WHERE d.message_id = u.id LIMIT 1) IS NULL
              AND (SELECT true FROM pending p WHERE p.message_id = u.id LIMIT 1) IS NULL
            RETURNING m.id
        ), freed AS (
            DELETE FROM message_event_id e USING gone g WHERE e.message_id = g.id RETURNING 1
        )
        SELECT (SELECT count(*) FROM gone) AS "messages!", (SELECT count(*) FROM freed) AS "event_ids!""#,
        settled,
    )
    .fetch_one(tx)
    .await?;
    Ok(DeletedMessages {
        messages: deleted.messages.unsigned_abs(),
        deliveries: deliveries.rows_affected(),
        event_ids: deleted.event_ids.unsigned_abs(),
        is_all,
    })
}
