//! What can be done with dead letters: replay and discard, one by id or many by filter.
//!
//! A replay moves three rows in one transaction: the dead letter is marked, its delivery waits again with a new
//! round of the schedule, and a `pending` row makes it due now. It touches no other endpoint, and keeps the
//! message's id. Where retention took message or delivery away, both are put back from the dead letter's copy.
//! Rows are locked before they are judged, so of two replays at once the second finds the dead letter replayed.
//!
//! Many are moved in chunks. A chunk and the place that its background task has come to are one commit, so a
//! task that is taken up again after a crash does nothing twice.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::access::actor::Actor;
use crate::domain::background_task::TaskKind;
use crate::domain::delivery::dead_letter::DeadLetterFilter;
use crate::domain::id::{ApplicationId, DeadLetterId, EndpointId, EnvironmentId};
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};
use crate::store::database::connection::Connection;
use crate::store::dead_letter_filter::filter_dead_letters;
use crate::store::queue::announce::announce_due;

use super::TaskStore;
use super::chunk::{Chunk, LockedTask};
use super::replayed::Replayed;

/// What became of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayOutcome {
    /// It is due now.
    Started,
    /// There is no such dead letter.
    NotFound,
    /// Somebody was first, and it has not failed again since.
    AlreadyReplayed,
    /// Its endpoint or application is deleted: there is nowhere to send it.
    EndpointDeleted,
    /// Its content was expunged: there is nothing to send.
    ContentGone,
}

/// What became of a discard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscardOutcome {
    /// It is discarded, now or from before.
    Discarded,
    /// There is no such dead letter.
    NotFound,
    /// It was replayed, so there is nothing to discard.
    AlreadyReplayed,
}

impl TaskStore {
    /// Replays one dead letter, an open or a discarded one, to the endpoint that missed it or to another of its
    /// application.
    pub async fn replay_dead_letter(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        application: Option<ApplicationId>,
        id: DeadLetterId,
        to: Option<EndpointId>,
    ) -> Result<ReplayOutcome, StoreError> {
        let mut tx = self.pool.begin().await?;
        let found = sqlx::query!(
            r#"-- dead_letter::find_for_replay
            SELECT l.message_id, l.endpoint_id, l.application_id, l.replayed_at,
                   (e.deleted_at IS NOT NULL OR a.deleted_at IS NOT NULL) AS "deleted!",
                   (l.payload IS NULL) AS "expunged!"
            FROM dead_letter l
            JOIN endpoint e ON e.id = coalesce($4, l.endpoint_id)
            JOIN application a ON a.id = l.application_id
            WHERE l.id = $1 AND l.environment_id = $2 AND ($3::uuid IS NULL OR l.application_id = $3)"#,
            id.uuid(),
            environment.as_str(),
            application.map(ApplicationId::uuid),
            to.map(EndpointId::uuid),
        )
        .fetch_optional(&mut *tx)
        .await?;
        let outcome = match found {
            None => ReplayOutcome::NotFound,
            Some(found) if found.replayed_at.is_some() => ReplayOutcome::AlreadyReplayed,
            Some(found) if found.deleted => ReplayOutcome::EndpointDeleted,
            Some(found) if found.expunged => ReplayOutcome::ContentGone,
            Some(found) => {
                lock_deliveries(&mut tx, &[found.message_id], &[found.endpoint_id]).await?;
                match put_back_to_work(&mut tx, &[id.uuid()], true, to).await?.count() {
                    0 => ReplayOutcome::AlreadyReplayed,
                    _ => {
                        let entry =
                            Entry::in_application(found.application_id.into(), "dead_letter.replayed", id);
                        note(&mut tx, actor, entry).await?;
                        ReplayOutcome::Started
                    }
                }
            }
        };
        tx.commit().await?;
        Ok(outcome)
    }

    /// Discards one dead letter.
    pub async fn discard_dead_letter(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        application: Option<ApplicationId>,
        id: DeadLetterId,
    ) -> Result<DiscardOutcome, StoreError> {
        let mut tx = self.pool.begin().await?;
        let found = sqlx::query!(
            r#"-- dead_letter::discard
            UPDATE dead_letter
            SET discarded_at = CASE WHEN replayed_at IS NULL THEN coalesce(discarded_at, now()) END
            WHERE id = $1 AND environment_id = $2 AND ($3::uuid IS NULL OR application_id = $3)
            RETURNING application_id, replayed_at"#,
            id.uuid(),
            environment.as_str(),
            application.map(ApplicationId::uuid),
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(found) = found else { return Ok(DiscardOutcome::NotFound) };
        if found.replayed_at.is_some() {
            return Ok(DiscardOutcome::AlreadyReplayed);
        }
        let entry = Entry::in_application(found.application_id.into(), "dead_letter.discarded", id);
        note(&mut tx, actor, entry).await?;
        tx.commit().await?;
        Ok(DiscardOutcome::Discarded)
    }
}

/// Replays or discards the next chunk of a background task.
pub(super) async fn advance(tx: &mut Connection, task: &LockedTask, chunk: i64) -> Result<Chunk, StoreError> {
    let filter: DeadLetterFilter = task.order()?;
    let ids = choose(tx, &task.environment_id, &filter, task.created_at, task.position, chunk).await?;
    let Some(last) = ids.last().copied() else { return Ok(Chunk::last()) };
    if task.kind == TaskKind::Discard {
        return Ok(Chunk::moved(discard_chosen(tx, &ids).await?, last));
    }
    let replayed = replay_chosen(tx, &ids, filter.means_discarded(), filter.to_endpoint_id).await?;
    Ok(Chunk::replayed(replayed, last))
}

/// The next dead letters of a filter, by id, that had died when the task was created. They are not locked yet,
/// and may change until they are.
async fn choose(
    tx: &mut Connection,
    environment: &str,
    filter: &DeadLetterFilter,
    died_before: DateTime<Utc>,
    past: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Uuid>, StoreError> {
    let chosen = filter.chosen();
    Ok(filter_dead_letters!(
        query_scalar!(),
        "-- dead_letter::choose",
        r#"SELECT l.id FROM dead_letter l"#,
        r#"AND l.replayed_at IS NULL AND (l.discarded_at IS NOT NULL) = $9
          AND l.died_at <= $10 AND l.id > $11
          AND ($13::uuid[] IS NULL OR l.id = ANY($13))
        ORDER BY l.id LIMIT $12"#,
        environment,
        filter,
        filter.means_discarded(),
        died_before,
        past.unwrap_or_default(),
        limit,
        chosen.as_deref(),
    )
    .fetch_all(tx)
    .await?)
}

/// Replays these, as far as they can be. Returns what went back to work.
pub(super) async fn replay_chosen(
    tx: &mut Connection,
    ids: &[Uuid],
    discarded_too: bool,
    to: Option<EndpointId>,
) -> Result<Replayed, StoreError> {
    let keys = sqlx::query!(
        r#"-- dead_letter::keys
        SELECT message_id, endpoint_id FROM dead_letter WHERE id = ANY($1)"#,
        ids,
    )
    .fetch_all(&mut *tx)
    .await?;
    let (messages, endpoints): (Vec<_>, Vec<_>) =
        keys.into_iter().map(|key| (key.message_id, key.endpoint_id)).unzip();
    lock_deliveries(tx, &messages, &endpoints).await?;
    put_back_to_work(tx, ids, discarded_too, to).await
}

async fn discard_chosen(tx: &mut Connection, ids: &[Uuid]) -> Result<u64, StoreError> {
    let discarded = sqlx::query!(
        r#"-- dead_letter::discard_chosen
        WITH locked AS MATERIALIZED (
            SELECT id FROM dead_letter
            WHERE id = ANY($1) AND replayed_at IS NULL AND discarded_at IS NULL
            ORDER BY message_id, endpoint_id FOR UPDATE
        )
        UPDATE dead_letter l SET discarded_at = now() FROM locked WHERE l.id = locked.id"#,
        ids,
    )
    .execute(tx)
    .await?;
    Ok(discarded.rows_affected())
}

/// Deliveries are locked before their dead letters, as everywhere, and one by one through their key: chunks may
/// reach over many days, and a join would read all that lies between.
async fn lock_deliveries(
    tx: &mut Connection,
    messages: &[Uuid],
    endpoints: &[Uuid],
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"-- delivery::lock
        SELECT d.message_id FROM (
            SELECT message_id, endpoint_id FROM unnest($1::uuid[], $2::uuid[]) AS u(message_id, endpoint_id)
            ORDER BY message_id, endpoint_id
        ) c CROSS JOIN LATERAL (
            SELECT d.message_id FROM delivery d
            WHERE d.message_id = c.message_id AND d.endpoint_id = c.endpoint_id FOR UPDATE
        ) d"#,
        messages,
        endpoints,
    )
    .fetch_all(tx)
    .await?;
    Ok(())
}

/// Marks the dead letters replayed and makes their deliveries due now. Leaves out those that were replayed
/// already, that have nowhere to go or nothing to send, and discarded ones unless they are asked for; of those that go
/// `to` another endpoint, what that one has got already. Returns what went back to work.
async fn put_back_to_work(
    tx: &mut Connection,
    ids: &[Uuid],
    discarded_too: bool,
    to: Option<EndpointId>,
) -> Result<Replayed, StoreError> {
    let due = sqlx::query!(
        r#"-- dead_letter::replay
        WITH locked AS MATERIALIZED (
            SELECT l.id, l.message_id, l.endpoint_id, l.application_id FROM dead_letter l
            WHERE l.id = ANY($1) AND l.replayed_at IS NULL AND l.payload IS NOT NULL
              AND ($2 OR l.discarded_at IS NULL)
            ORDER BY l.message_id, l.endpoint_id FOR UPDATE
        ), chosen AS MATERIALIZED (
            SELECT l.id, l.message_id, e.id AS endpoint_id, l.application_id FROM locked l
            JOIN endpoint e ON e.id = coalesce($3, l.endpoint_id) AND e.application_id = l.application_id
            JOIN application a ON a.id = l.application_id
            WHERE e.deleted_at IS NULL AND a.deleted_at IS NULL
              AND (e.id = l.endpoint_id OR (
                  SELECT true FROM delivery d WHERE d.message_id = l.message_id AND d.endpoint_id = e.id) IS NULL)
        ), marked AS (
            UPDATE dead_letter l SET replayed_at = now(), discarded_at = NULL FROM chosen c WHERE l.id = c.id
        ), message_put_back AS (
            INSERT INTO message (id, application_id, event_type, event_id, channels, tags, payload, headers)
            SELECT DISTINCT ON (l.message_id)
                   l.message_id, l.application_id, l.event_type, l.event_id, l.channels, l.tags, l.payload,
                   l.headers
            FROM chosen c JOIN dead_letter l ON l.id = c.id
            WHERE (SELECT true FROM message m WHERE m.id = c.message_id) IS NULL
            ORDER BY l.message_id
            ON CONFLICT (id) DO NOTHING
        ), waiting AS (
            INSERT INTO delivery (message_id, endpoint_id, state, attempts)
            SELECT message_id, endpoint_id, 'waiting', 0 FROM chosen
            ON CONFLICT (message_id, endpoint_id)
            DO UPDATE SET state = 'waiting', attempts = 0, owner = NULL, settled_at = NULL
        ), due AS (
            INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts, trigger)
            SELECT message_id, endpoint_id, application_id, now(), 0, 'manual' FROM chosen
            RETURNING message_id, endpoint_id
        )
        SELECT coalesce(array_agg(message_id), '{}') AS "messages!", coalesce(array_agg(endpoint_id), '{}') AS "endpoints!"
        FROM due"#,
        ids,
        discarded_too,
        to.map(EndpointId::uuid),
    )
    .fetch_one(&mut *tx)
    .await?;
    let different: BTreeSet<Uuid> = due.endpoints.iter().copied().collect();
    if !different.is_empty() {
        let endpoints: Vec<EndpointId> = different.into_iter().map(EndpointId::from).collect();
        announce_due(tx, &endpoints).await?;
    }
    Ok(Replayed { messages: due.messages, endpoints: due.endpoints })
}
