//! How many rows one transaction goes through. A message may have many thousands of deliveries, and each of them many
//! attempts, so a bound on messages alone bounds nothing. Whoever meets the bound says so, and goes through the same messages
//! again in a transaction of its own, until nothing is left of them.

use uuid::Uuid;

use crate::store::StoreError;
use crate::store::database::connection::Connection;

/// Rows of a table that go with one message of a chunk, so that a smaller chunk is less work however it is spread.
const ROWS_PER_MESSAGE: i64 = 10;

/// So many rows of each table are gone through with a chunk of so many messages.
pub(in crate::store) const fn rows_of_chunk(messages: i64) -> i64 {
    messages.saturating_mul(ROWS_PER_MESSAGE)
}

/// Whether there may be more than were gone through.
pub(in crate::store) fn is_full(done: u64, rows: i64) -> bool {
    done >= rows.unsigned_abs()
}

/// As many of these messages, which are in the order of their ids, as have `rows` deliveries together; the first one in any
/// case.
pub(in crate::store) async fn first_of(
    tx: &mut Connection,
    mut messages: Vec<Uuid>,
    rows: i64,
) -> Result<Vec<Uuid>, StoreError> {
    if messages.len() < 2 {
        return Ok(messages);
    }
    let beyond = sqlx::query_scalar!(
        r#"-- delivery::first_beyond
        SELECT d.message_id
        FROM (SELECT message_id FROM unnest($1::uuid[]) AS u(message_id) ORDER BY message_id) s
        CROSS JOIN LATERAL (SELECT d.message_id FROM delivery d WHERE d.message_id = s.message_id LIMIT $2::bigint + 1) d
        OFFSET $2 LIMIT 1"#,
        &messages,
        rows,
    )
    .fetch_optional(tx)
    .await?;
    if let Some(beyond) = beyond {
        messages.truncate(messages.partition_point(|message| *message < beyond).max(1));
    }
    Ok(messages)
}
