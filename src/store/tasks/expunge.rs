//! Taking content away: the payload of a message and the headers that were to be sent with it, with the copies that its
//! dead letters keep, and what receivers answered, because they often repeat what they were sent. What is left is that the
//! message was there, and what became of it.
//!
//! A delivery that still waits has nothing left to send: it is due at once, and becomes a dead letter for the reason
//! `unsendable`. What a node has in its memory at that moment may still go out, and its outcome, with the answer and perhaps a
//! copy of the payload in a dead letter, is recorded later. So an expunge is done once more a minute later, and again after each
//! further minute in which a node still has something of the message in hand.

use uuid::Uuid;

use crate::domain::access::actor::Actor;
use crate::domain::background_task::ContentPurge;
use crate::domain::id::reference::Reference;
use crate::domain::id::{ApplicationId, AttemptId, MessageId};
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};
use crate::store::database::connection::Connection;
use crate::store::database::span::{earliest_after, latest_before};
use crate::store::history::message::message_id;
use crate::store::queue::announce::announce_due;

use super::TaskStore;
use super::chunk::{Chunk, LockedTask};
use super::rows::{first_of, is_full, rows_of_chunk};

/// One message may have as many rows in a transaction as a chunk of so many.
const MESSAGES_AT_ONCE: i64 = 500;

impl TaskStore {
    /// Takes a message's payload away, in its dead letters, too, and what was answered to it: also when retention took the
    /// message itself. False when there is neither.
    pub async fn expunge_message(
        &self,
        actor: &Actor,
        application: ApplicationId,
        named: &Reference<MessageId>,
    ) -> Result<bool, StoreError> {
        let Some(message) = message_id(&self.pool, application, named).await? else { return Ok(false) };
        let mut tx = self.pool.begin().await?;
        if !is_of(&mut tx, application, message).await? {
            return Ok(false);
        }
        let rows = rows_of_chunk(MESSAGES_AT_ONCE);
        let mut expunged = expunge(&mut tx, &[message.uuid()], rows).await?;
        // Should this end before nothing is left, that does the rest.
        expunge_once_more(&mut tx, &[message.uuid()]).await?;
        note(&mut tx, actor, Entry::in_application(application, "message.expunged", message)).await?;
        tx.commit().await?;
        while !expunged.is_all {
            let mut tx = self.pool.begin().await?;
            expunged = expunge(&mut tx, &[message.uuid()], rows).await?;
            tx.commit().await?;
        }
        Ok(true)
    }

    /// The id of an application's message of that name, of which no more may be left than a dead letter.
    pub async fn message_ever(
        &self,
        application: ApplicationId,
        named: &Reference<MessageId>,
    ) -> Result<Option<MessageId>, StoreError> {
        let Some(message) = message_id(&self.pool, application, named).await? else { return Ok(None) };
        let mut connection = self.pool.connection().await?;
        let is_known = is_of(&mut connection, application, message).await?;
        Ok(Some(message).filter(|_| is_known))
    }

    /// Takes away what the receiver answered to an attempt. False when there is no such attempt. That the message is
    /// the caller's has been looked up.
    pub async fn expunge_attempt(
        &self,
        actor: &Actor,
        application: ApplicationId,
        message: MessageId,
        attempt: AttemptId,
    ) -> Result<bool, StoreError> {
        let mut tx = self.pool.begin().await?;
        let expunged = sqlx::query!(
            r#"-- attempt::expunge
            UPDATE attempt SET response_body = NULL, response_headers = NULL WHERE message_id = $1 AND id = $2"#,
            message.uuid(),
            attempt.uuid(),
        )
        .execute(&mut *tx)
        .await?;
        if expunged.rows_affected() == 0 {
            return Ok(false);
        }
        note(&mut tx, actor, Entry::in_application(application, "attempt.expunged", attempt)).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Whether the message is the application's, or was when it died.
async fn is_of(
    tx: &mut Connection,
    application: ApplicationId,
    message: MessageId,
) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"-- message::is_known
        SELECT (EXISTS (SELECT FROM message WHERE id = $1 AND application_id = $2)
             OR EXISTS (SELECT FROM dead_letter WHERE message_id = $1 AND application_id = $2)) AS "known!""#,
        message.uuid(),
        application.uuid(),
    )
    .fetch_one(tx)
    .await?)
}

/// What was taken away.
pub(in crate::store) struct Expunged {
    /// So many messages had a payload.
    pub(in crate::store) messages: u64,
    /// Whether nothing is left of any of them; otherwise they are to be gone through again.
    pub(in crate::store) is_all: bool,
}

/// Takes these payloads away, with their copies and with what receivers answered: `rows` rows of each table at most.
pub(in crate::store) async fn expunge(
    tx: &mut Connection,
    messages: &[Uuid],
    rows: i64,
) -> Result<Expunged, StoreError> {
    let hastened = hasten(tx, messages, rows).await?;
    let emptied = sqlx::query!(
        r#"-- message::expunge
        UPDATE message SET payload = NULL, headers = NULL WHERE id = ANY($1) AND payload IS NOT NULL"#,
        messages,
    )
    .execute(&mut *tx)
    .await?;
    let copies = sqlx::query!(
        r#"-- dead_letter::expunge
        WITH chosen AS MATERIALIZED (
            SELECT l.id FROM unnest($1::uuid[]) AS u(id) CROSS JOIN LATERAL (
                SELECT l.id FROM dead_letter l WHERE l.message_id = u.id AND l.payload IS NOT NULL LIMIT $2
            ) l
            LIMIT $2
        )
        UPDATE dead_letter l SET payload = NULL, headers = NULL FROM chosen c WHERE l.id = c.id"#,
        messages,
        rows,
    )
    .execute(&mut *tx)
    .await?;
    let answers = expunge_answers(&mut *tx, messages, rows).await?;
    let is_all = ![hastened, copies.rows_affected(), answers].iter().any(|done| is_full(*done, rows));
    Ok(Expunged { messages: emptied.rows_affected(), is_all })
}

/// Has what waits be due at once: without a payload it can only die.
async fn hasten(tx: &mut Connection, messages: &[Uuid], rows: i64) -> Result<u64, StoreError> {
    let hastened = sqlx::query!(
        r#"-- pending::nothing_to_send
        WITH free AS MATERIALIZED (
            SELECT p.message_id, p.endpoint_id
            FROM (SELECT id FROM unnest($1::uuid[]) AS u(id) ORDER BY id) u CROSS JOIN LATERAL (
                SELECT p.message_id, p.endpoint_id FROM pending p
                WHERE p.message_id = u.id AND p.owner IS NULL AND p.due_at > now()
                ORDER BY p.endpoint_id LIMIT $2 FOR UPDATE SKIP LOCKED
            ) p
            LIMIT $2
        )
        UPDATE pending p SET due_at = now() FROM free f
        WHERE p.message_id = f.message_id AND p.endpoint_id = f.endpoint_id"#,
        messages,
        rows,
    )
    .execute(&mut *tx)
    .await?;
    if hastened.rows_affected() > 0 {
        announce_due(tx, &[]).await?;
    }
    Ok(hastened.rows_affected())
}

/// Takes away what receivers answered to attempts of these messages, of `rows` attempts at most. Returns of how many.
async fn expunge_answers(tx: &mut Connection, messages: &[Uuid], rows: i64) -> Result<u64, StoreError> {
    // No attempt is older than its message, so older partitions are not looked into.
    let oldest = messages.iter().min().copied().map(MessageId::from);
    let Some(oldest) = oldest else { return Ok(0) };
    let emptied = sqlx::query!(
        r#"-- attempt::expunge_of_messages
        WITH chosen AS MATERIALIZED (
            SELECT a.message_id, a.id FROM unnest($1::uuid[]) AS u(id) CROSS JOIN LATERAL (
                SELECT a.message_id, a.id FROM attempt a
                WHERE a.message_id = u.id AND a.id > $2
                  AND (a.response_body IS NOT NULL OR a.response_headers IS NOT NULL)
                LIMIT $3
            ) a
            LIMIT $3
        )
        UPDATE attempt a SET response_body = NULL, response_headers = NULL FROM chosen c
        WHERE a.message_id = c.message_id AND a.id = c.id AND a.id > $2"#,
        messages,
        earliest_after(oldest.created_at()),
        rows,
    )
    .execute(tx)
    .await?;
    Ok(emptied.rows_affected())
}

/// Those of these messages that have a delivery that has not ended.
async fn unended(tx: &mut Connection, messages: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"-- delivery::unended_of_messages
        SELECT c.message_id AS "message_id!" FROM unnest($1::uuid[]) AS c(message_id)
        WHERE (SELECT true FROM delivery d
               WHERE d.message_id = c.message_id AND d.state IN ('in_flight', 'waiting', 'held') LIMIT 1) IS NOT NULL"#,
        messages,
    )
    .fetch_all(tx)
    .await?)
}

/// Those of these messages that a node has in hand: what is answered to them is recorded later. A claim whose lease is over is
/// in nobody's hand.
pub(in crate::store) async fn in_hand(
    tx: &mut Connection,
    messages: &[Uuid],
) -> Result<Vec<Uuid>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"-- delivery::in_hand
        SELECT c.message_id AS "message_id!" FROM unnest($1::uuid[]) AS c(message_id)
        WHERE (SELECT true FROM delivery d
               WHERE d.message_id = c.message_id
                 AND (d.state = 'in_flight'
                      OR (SELECT p.owner IS NOT NULL AND p.due_at > now() FROM pending p
                          WHERE p.message_id = d.message_id AND p.endpoint_id = d.endpoint_id))
               LIMIT 1) IS NOT NULL"#,
        messages,
    )
    .fetch_all(tx)
    .await?)
}

pub(in crate::store) async fn expunge_once_more(
    tx: &mut Connection,
    messages: &[Uuid],
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"-- payload_expiry::once_more
        INSERT INTO payload_expiry (message_id, expires_at, again)
        SELECT message_id, now() + interval '1 minute', false FROM unnest($1::uuid[]) message_id
        ON CONFLICT (message_id) DO UPDATE SET expires_at = excluded.expires_at, again = false"#,
        messages,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A step of the task that takes all content of an application away: first that of its messages, then that of dead
/// letters that outlived theirs.
pub(super) async fn purge(tx: &mut Connection, task: &LockedTask, chunk: i64) -> Result<Chunk, StoreError> {
    let order: ContentPurge = task.order()?;
    if task.place.is_some() {
        return purge_dead_letters(tx, &order, task, chunk).await;
    }
    let ids = sqlx::query_scalar!(
        r#"-- message::next_of_application
        SELECT id FROM message WHERE application_id = $1 AND id > $2 AND id < $3 ORDER BY id LIMIT $4"#,
        order.application_id.uuid(),
        task.position.unwrap_or_default(),
        latest_before(task.created_at),
        chunk,
    )
    .fetch_all(&mut *tx)
    .await?;
    let rows = rows_of_chunk(chunk);
    let ids = first_of(tx, ids, rows).await?;
    let Some(last) = ids.last().copied() else {
        return Ok(Chunk {
            position: Some(Uuid::nil()),
            place: Some(serde_json::json!("dead letters")),
            ..Chunk::default()
        });
    };
    // What has ended has left its answers where they are found now.
    let unended = unended(tx, &ids).await?;
    let expunged = expunge(tx, &ids, rows).await?;
    if !expunged.is_all {
        // The same messages come again in the next step, with less to take away.
        return Ok(Chunk { done: expunged.messages, ..Chunk::default() });
    }
    expunge_once_more(tx, &unended).await?;
    Ok(Chunk::moved(expunged.messages, last))
}

async fn purge_dead_letters(
    tx: &mut Connection,
    order: &ContentPurge,
    task: &LockedTask,
    chunk: i64,
) -> Result<Chunk, StoreError> {
    let read = sqlx::query!(
        r#"-- dead_letter::next_of_application
        WITH next AS MATERIALIZED (
            SELECT id, message_id FROM dead_letter WHERE application_id = $1 AND id > $2 ORDER BY id LIMIT $3
        ), emptied AS (
            UPDATE dead_letter l SET payload = NULL, headers = NULL FROM next
            WHERE l.id = next.id AND l.payload IS NOT NULL AND l.message_id < $4
        )
        SELECT id, message_id FROM next ORDER BY id"#,
        order.application_id.uuid(),
        task.position.unwrap_or_default(),
        chunk,
        latest_before(task.created_at),
    )
    .fetch_all(&mut *tx)
    .await?;
    let newest = latest_before(task.created_at);
    let messages: Vec<Uuid> = read.iter().map(|row| row.message_id).filter(|id| *id < newest).collect();
    let rows = rows_of_chunk(chunk);
    if is_full(expunge_answers(tx, &messages, rows).await?, rows) {
        // The same dead letters come again in the next step, with fewer answers.
        return Ok(Chunk::default());
    }
    Ok(read.last().map_or_else(Chunk::last, |last| Chunk::moved(0, last.id)))
}
