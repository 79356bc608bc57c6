//! The steps of tasks that send an endpoint many messages: what failed for good (recover), what it was never to get
//! (replay missing), and what it got or failed to get (bulk replay).
//!
//! Each step goes through so many messages at most, in the order of an index, and remembers the last one in the same
//! commit: so a task costs others little, and one that is interrupted does nothing twice. What comes back to work
//! does so through the queue, with a new round of the schedule. Discarded dead letters are left alone.
//!
//! What is asked of each message is a subquery that yields a value, because one that asks for existence may be planned
//! as a hash of everything that the endpoint ever got.

use uuid::Uuid;

use crate::domain::background_task::EndpointReplay;
use crate::domain::delivery::{DeliveryState, Standing};
use crate::store::StoreError;
use crate::store::database::connection::Connection;
use crate::store::database::span::{TimeBounds, latest_before};
use crate::store::queue::announce::announce_due;

use super::chunk::{Chunk, LockedTask};
use super::replay::replay_chosen;
use super::replayed::Replayed;

/// How many messages are read for each that may be moved, because most do not match.
pub(super) const ROWS_READ_PER_ROW_MOVED: i64 = 4;

/// What a step needs of its endpoint.
struct Destination {
    event_types: Option<Vec<String>>,
    channels: Option<Vec<String>>,
}

/// `None` when the endpoint or its application is deleted: there is nowhere to send.
async fn destination(tx: &mut Connection, order: &EndpointReplay) -> Result<Option<Destination>, StoreError> {
    Ok(sqlx::query_as!(
        Destination,
        r#"-- endpoint::for_replay
        SELECT e.event_types, e.channels FROM endpoint e JOIN application a ON a.id = e.application_id
        WHERE e.id = $1 AND e.application_id = $2 AND e.deleted_at IS NULL AND a.deleted_at IS NULL"#,
        order.endpoint_id.uuid(),
        order.application_id.uuid(),
    )
    .fetch_optional(tx)
    .await?)
}

/// The ids of the messages that an order may be about: past the last one that was dealt with, and from before the
/// task was created, as far as clocks agree.
fn bounds(order: &EndpointReplay, task: &LockedTask) -> (Uuid, Uuid) {
    let (above, below) = TimeBounds { since: Some(order.since), until: order.until }.ids();
    (task.position.unwrap_or_default().max(above), below.min(latest_before(task.created_at)))
}

/// Sends what failed: first what still waits to be tried again, then the dead letters of the messages that were open when it
/// was asked for. In the other order it would meet those again that it had put back, and that failed once more.
pub(super) async fn recover(tx: &mut Connection, task: &LockedTask, chunk: i64) -> Result<Chunk, StoreError> {
    let order: EndpointReplay = task.order()?;
    if destination(tx, &order).await?.is_none() {
        return Ok(Chunk::last());
    }
    if task.place.is_none() {
        return recover_waiting(tx, &order, task, chunk).await;
    }
    let (above, below) = TimeBounds { since: Some(order.since), until: order.until }.ids();
    let ids = sqlx::query_scalar!(
        r#"-- dead_letter::choose_of_endpoint
        SELECT id FROM dead_letter
        WHERE endpoint_id = $1 AND id > $2 AND message_id > $3 AND message_id < $4
          AND replayed_at IS NULL AND discarded_at IS NULL AND died_at <= $5
        ORDER BY id LIMIT $6"#,
        order.endpoint_id.uuid(),
        task.position.unwrap_or_default(),
        above,
        below,
        task.created_at,
        chunk,
    )
    .fetch_all(&mut *tx)
    .await?;
    let Some(last) = ids.last().copied() else { return Ok(Chunk::last()) };
    Ok(Chunk::replayed(replay_chosen(tx, &ids, false, None).await?, last))
}

/// Makes due what was tried before and waits. What a node has in hand is being sent anyway.
async fn recover_waiting(
    tx: &mut Connection,
    order: &EndpointReplay,
    task: &LockedTask,
    chunk: i64,
) -> Result<Chunk, StoreError> {
    let (above, below) = bounds(order, task);
    let rows = sqlx::query!(
        r#"-- delivery::look_for_failed
        SELECT d.message_id, (d.state IN ('waiting', 'held') AND d.attempts > 0) AS "matches!" FROM delivery d
        WHERE d.endpoint_id = $1 AND d.message_id > $2 AND d.message_id < $3 ORDER BY d.message_id LIMIT $4"#,
        order.endpoint_id.uuid(),
        above,
        below,
        chunk * ROWS_READ_PER_ROW_MOVED,
    )
    .fetch_all(&mut *tx)
    .await?;
    let read = rows.into_iter().map(|row| (row.message_id, row.matches)).collect();
    let Some((matching, last)) = take_matching(read, chunk) else {
        let place = Some(serde_json::json!("dead letters"));
        return Ok(Chunk { position: Some(Uuid::nil()), place, ..Chunk::default() });
    };
    Ok(Chunk::replayed(make_due_now(tx, order, &matching).await?, last))
}

/// Sends what the endpoint would get today and was never to get: messages from before it was there, or from before
/// it listened to them.
pub(super) async fn replay_missing(
    tx: &mut Connection,
    task: &LockedTask,
    chunk: i64,
) -> Result<Chunk, StoreError> {
    let order: EndpointReplay = task.order()?;
    let Some(endpoint) = destination(tx, &order).await? else { return Ok(Chunk::last()) };
    let (above, below) = bounds(&order, task);
    let rows = sqlx::query!(
        r#"-- message::look_for_missing
        SELECT m.id,
               (m.payload IS NOT NULL AND ($2::text[] IS NULL OR m.event_type = ANY($2))
                AND ($3::text[] IS NULL OR m.channels && $3)
                AND (SELECT true FROM delivery d WHERE d.message_id = m.id AND d.endpoint_id = $4) IS NULL)
                   AS "matches?"
        FROM message m WHERE m.application_id = $1 AND m.id > $5 AND m.id < $6 ORDER BY m.id LIMIT $7"#,
        order.application_id.uuid(),
        endpoint.event_types.as_deref(),
        endpoint.channels.as_deref(),
        order.endpoint_id.uuid(),
        above,
        below,
        chunk * ROWS_READ_PER_ROW_MOVED,
    )
    .fetch_all(&mut *tx)
    .await?;
    let read = rows.into_iter().map(|row| (row.id, row.matches.unwrap_or(false))).collect();
    let Some((matching, last)) = take_matching(read, chunk) else { return Ok(Chunk::last()) };
    Ok(Chunk::replayed(begin(tx, &order, &matching).await?, last))
}

/// Sends once more what the endpoint got or failed to get, as far as it is of the filter. Without a status in the
/// filter, what still waits is left to its schedule.
pub(super) async fn bulk_replay(
    tx: &mut Connection,
    task: &LockedTask,
    chunk: i64,
) -> Result<Chunk, StoreError> {
    let order: EndpointReplay = task.order()?;
    if destination(tx, &order).await?.is_none() {
        return Ok(Chunk::last());
    }
    let states: &[DeliveryState] = match order.standing() {
        None => &[DeliveryState::Delivered, DeliveryState::Dead, DeliveryState::Cancelled],
        Some(Standing::Success) => &[DeliveryState::Delivered],
        Some(Standing::Fail) => &[DeliveryState::Dead],
        Some(Standing::Canceled) => &[DeliveryState::Cancelled],
        // What a node has in hand needs no replay.
        Some(Standing::Pending | Standing::Sending) => &[DeliveryState::Waiting, DeliveryState::Held],
    };
    // Of what waits: whether it was tried before.
    let tried = match order.standing() {
        Some(Standing::Pending) => Some(false),
        Some(Standing::Sending) => Some(true),
        _ => None,
    };
    let states: Vec<&str> = states.iter().map(|state| state.name()).collect();
    let (above, below) = bounds(&order, task);
    let rows = sqlx::query!(
        r#"-- delivery::look_through
        SELECT d.message_id,
               (d.state = ANY($2::text[]::delivery_state[]) AND ($11::boolean IS NULL OR (d.attempts > 0) = $11) AND (d.settled_at IS NULL OR d.settled_at <= $10) AND ($3::smallint IS NULL OR coalesce(d.last_status / 100, 0) = $3)
                AND m.payload IS NOT NULL AND ($4::text[] IS NULL OR m.event_type = ANY($4))
                AND ($5::text IS NULL OR $5 = ANY(m.channels)) AND ($6::text IS NULL OR $6 = ANY(m.tags))
                AND (d.state <> 'dead' OR (
                    SELECT l.discarded_at FROM dead_letter l
                    WHERE l.message_id = d.message_id AND l.endpoint_id = d.endpoint_id) IS NULL)) AS "matches?"
        FROM delivery d LEFT JOIN message m ON m.id = d.message_id
        WHERE d.endpoint_id = $1 AND d.message_id > $7 AND d.message_id < $8 ORDER BY d.message_id LIMIT $9"#,
        order.endpoint_id.uuid(),
        &states as &[&str],
        order.status_code_class.map(|class| class / 100),
        (!order.event_types.is_empty()).then_some(order.event_types.as_slice()),
        order.channel,
        order.tag,
        above,
        below,
        chunk * ROWS_READ_PER_ROW_MOVED,
        task.created_at,
        tried,
    )
    .fetch_all(&mut *tx)
    .await?;
    let read = rows.into_iter().map(|row| (row.message_id, row.matches.unwrap_or(false))).collect();
    let Some((matching, last)) = take_matching(read, chunk) else { return Ok(Chunk::last()) };
    let replayed = if tried.is_some() {
        make_due_now(tx, &order, &matching).await?
    } else {
        begin_anew(tx, &order, &matching).await?
    };
    Ok(Chunk::replayed(replayed, last))
}

/// Of the rows that were read, in order: at most `chunk` that match, and the last one that is dealt with by that. `None`
/// when none was read.
pub(super) fn take_matching(read: Vec<(Uuid, bool)>, chunk: i64) -> Option<(Vec<Uuid>, Uuid)> {
    let max = usize::try_from(chunk).unwrap_or(1);
    let mut matching = Vec::new();
    let mut last = None;
    for (id, matches) in read {
        if matches && matching.len() == max {
            break;
        }
        last = Some(id);
        if matches {
            matching.push(id);
        }
    }
    last.map(|last| (matching, last))
}

/// Deliveries where there were none.
async fn begin(
    tx: &mut Connection,
    order: &EndpointReplay,
    messages: &[Uuid],
) -> Result<Replayed, StoreError> {
    let begun = sqlx::query_scalar!(
        r#"-- delivery::begin_missing
        WITH waiting AS (
            INSERT INTO delivery (message_id, endpoint_id, state, attempts)
            SELECT message_id, $2, 'waiting', 0 FROM unnest($1::uuid[]) message_id
            ON CONFLICT (message_id, endpoint_id) DO NOTHING
            RETURNING message_id
        )
        INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts, trigger)
        SELECT message_id, $2, $3, now(), 0, 'manual' FROM waiting
        RETURNING message_id"#,
        messages,
        order.endpoint_id.uuid(),
        order.application_id.uuid(),
    )
    .fetch_all(&mut *tx)
    .await?;
    announced(tx, order, begun).await
}

/// A new round for deliveries that have ended. Their dead letters count as replayed.
async fn begin_anew(
    tx: &mut Connection,
    order: &EndpointReplay,
    messages: &[Uuid],
) -> Result<Replayed, StoreError> {
    let begun = sqlx::query_scalar!(
        r#"-- delivery::begin_many_anew
        WITH ended AS MATERIALIZED (
            SELECT d.message_id FROM (
                SELECT message_id FROM unnest($1::uuid[]) message_id ORDER BY message_id
            ) c CROSS JOIN LATERAL (
                SELECT d.message_id FROM delivery d
                WHERE d.message_id = c.message_id AND d.endpoint_id = $2 AND d.state IN ('delivered', 'dead', 'cancelled') FOR UPDATE
            ) d
        ), waiting AS (
            UPDATE delivery d SET state = 'waiting', attempts = 0, owner = NULL, settled_at = NULL
            FROM ended e WHERE d.message_id = e.message_id AND d.endpoint_id = $2
            RETURNING d.message_id
        ), replayed AS (
            UPDATE dead_letter l SET replayed_at = now(), discarded_at = NULL
            FROM waiting w WHERE l.message_id = w.message_id AND l.endpoint_id = $2 AND l.replayed_at IS NULL
        )
        INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts, trigger)
        SELECT message_id, $2, $3, now(), 0, 'manual' FROM waiting
        RETURNING message_id"#,
        messages,
        order.endpoint_id.uuid(),
        order.application_id.uuid(),
    )
    .fetch_all(&mut *tx)
    .await?;
    announced(tx, order, begun).await
}

/// A new round, now, for deliveries that wait and that no node has in hand.
async fn make_due_now(
    tx: &mut Connection,
    order: &EndpointReplay,
    messages: &[Uuid],
) -> Result<Replayed, StoreError> {
    let due = sqlx::query_scalar!(
        r#"-- pending::make_many_due
        WITH free AS MATERIALIZED (
            SELECT message_id, endpoint_id FROM pending
            WHERE message_id = ANY($1) AND endpoint_id = $2 AND (owner IS NULL OR due_at <= now())
            ORDER BY message_id FOR UPDATE SKIP LOCKED
        ), due AS (
            UPDATE pending p SET due_at = now(), attempts = 0, refusals = 0, trigger = 'manual', owner = NULL
            FROM free f WHERE p.message_id = f.message_id AND p.endpoint_id = f.endpoint_id
            RETURNING p.message_id, p.endpoint_id
        )
        UPDATE delivery d SET attempts = 0 FROM due
        WHERE d.message_id = due.message_id AND d.endpoint_id = due.endpoint_id
        RETURNING d.message_id"#,
        messages,
        order.endpoint_id.uuid(),
    )
    .fetch_all(&mut *tx)
    .await?;
    announced(tx, order, due).await
}

async fn announced(
    tx: &mut Connection,
    order: &EndpointReplay,
    messages: Vec<Uuid>,
) -> Result<Replayed, StoreError> {
    if !messages.is_empty() {
        announce_due(tx, &[order.endpoint_id]).await?;
    }
    Ok(Replayed::to(order.endpoint_id, messages))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_ends_before_the_first_that_is_too_many() {
        let ids: Vec<Uuid> = (1..=5).map(Uuid::from_u128).collect();
        let all = |matching: [bool; 5]| ids.iter().copied().zip(matching).collect::<Vec<_>>();
        let some = take_matching(all([true, false, true, true, true]), 2).unwrap();
        assert_eq!(some, (vec![ids[0], ids[2]], ids[2]));
        let rest = take_matching(all([true, true, false, false, false]), 2).unwrap();
        assert_eq!(rest, (vec![ids[0], ids[1]], ids[4]));
        let none = take_matching(all([false; 5]), 2).unwrap();
        assert_eq!(none, (vec![], ids[4]));
        assert_eq!(take_matching(Vec::new(), 2), None);
    }
}
