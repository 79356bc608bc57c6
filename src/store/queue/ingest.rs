//! The batch writer's statement: messages, deliveries, what must wait, `eventId`s and idempotency keys, all in one
//! statement and so in one commit. A message is refused alone; it never takes its batch with it.

use serde_json::Value;
use uuid::Uuid;

use crate::domain::delivery::DeliveryState;
use crate::domain::id::{EndpointId, MessageId};
use crate::domain::message::Message;
use crate::domain::message_headers;
use crate::domain::trace_context::TraceContext;
use crate::store::StoreError;
use crate::store::access::idempotency::IdempotencyKey;
use crate::store::database::connection::Connection;

use super::QueueStore;
use super::payload_expiry::note_expiries;

/// A message with its fan-out, ready to be written.
#[derive(Debug)]
pub struct FannedOut<'a> {
    /// The message.
    pub message: &'a Message,
    /// The version of the application that it was fanned out against.
    pub config_version: i64,
    /// Its deliveries, with the state that each is born in.
    pub deliveries: &'a [(EndpointId, DeliveryState)],
    /// The producer's idempotency key.
    pub idempotency: Option<IdempotencyKey>,
    /// For so many hours its payload is kept, when that is less than the message is.
    pub payload_hours: Option<u32>,
}

/// Why a message was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The application changed, or went: the fan-out was made against a stale snapshot.
    Stale,
    /// Its idempotency key was used before.
    KeyUsed,
    /// Its `eventId` was posted before.
    EventIdTaken,
}

/// What was posted before under an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarlierPost {
    /// The hash of its body.
    pub request_hash: [u8; 32],
    /// The message that it made; `None` when another kind of request used the key.
    pub message_id: Option<MessageId>,
    /// Whether that message is stored. One that was refused left its key alone.
    pub is_stored: bool,
}

/// Columns of a batch. Lists travel as text joined by commas, which their pattern excludes.
#[derive(Default)]
struct Columns<'a> {
    ids: Vec<Uuid>,
    applications: Vec<Uuid>,
    versions: Vec<i64>,
    event_types: Vec<&'a str>,
    event_ids: Vec<Option<&'a str>>,
    channels: Vec<Option<String>>,
    tags: Vec<Option<String>>,
    payloads: Vec<&'a [u8]>,
    headers: Vec<Option<Value>>,
    traces: Vec<Option<Vec<u8>>>,
    key_hashes: Vec<Option<&'a [u8]>>,
    request_hashes: Vec<Option<&'a [u8]>>,
    delivery_messages: Vec<Uuid>,
    delivery_applications: Vec<Uuid>,
    delivery_endpoints: Vec<Uuid>,
    delivery_states: Vec<&'static str>,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a [FannedOut<'a>]) -> Self {
        let mut columns = Self::default();
        for item in batch {
            let message = item.message;
            columns.ids.push(message.id.uuid());
            columns.applications.push(message.application_id.uuid());
            columns.versions.push(item.config_version);
            columns.event_types.push(&message.event_type);
            columns.event_ids.push(message.event_id.as_deref());
            columns.channels.push(joined(&message.channels));
            columns.tags.push(joined(&message.tags));
            columns.payloads.push(&message.payload);
            columns.headers.push(message_headers::to_document(&message.headers));
            columns.traces.push(message.trace.map(TraceContext::to_bytes));
            let key = item.idempotency.as_ref();
            columns.key_hashes.push(key.map(|key| key.key_hash.as_slice()));
            columns.request_hashes.push(key.map(|key| key.request_hash.as_slice()));
            for (endpoint, state) in item.deliveries {
                columns.delivery_messages.push(message.id.uuid());
                columns.delivery_applications.push(message.application_id.uuid());
                columns.delivery_endpoints.push(endpoint.uuid());
                columns.delivery_states.push(state.name());
            }
        }
        columns
    }
}

fn joined(list: &[String]) -> Option<String> {
    if list.is_empty() { None } else { Some(list.join(",")) }
}

impl QueueStore {
    /// Writes a batch in one commit and returns what was refused; everything else is stored when this returns.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] when the node's fence is gone: nothing was written. After
    /// [`StoreError::Unavailable`] it is open whether anything was: see [`Store::written_messages`].
    pub async fn insert_messages(
        &self,
        epoch: i64,
        batch: &[FannedOut<'_>],
    ) -> Result<Vec<(MessageId, Refusal)>, StoreError> {
        let (limited, hours): (Vec<Uuid>, Vec<i32>) = batch
            .iter()
            .filter_map(|item| Some((item.message.id.uuid(), i32::try_from(item.payload_hours?).ok()?)))
            .unzip();
        if limited.is_empty() {
            return insert(&mut self.ingest.connection().await?, epoch, batch).await;
        }
        let mut tx = self.ingest.begin().await?;
        let refused = insert(&mut tx, epoch, batch).await?;
        note_expiries(&mut tx, &limited, &hours).await?;
        tx.commit().await?;
        Ok(refused)
    }

    /// Which of these messages are stored: asked when an answer was lost on its way.
    pub async fn written_messages(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let found = sqlx::query_scalar!(
            r#"-- ingest::written_messages
            SELECT id FROM message WHERE id = ANY($1)"#,
            &ids,
        )
        .fetch_all(&self.ingest)
        .await?;
        Ok(found.into_iter().map(MessageId::from).collect())
    }

    /// What was posted under this key in the last twelve hours.
    pub async fn earlier_post(&self, key_hash: [u8; 32]) -> Result<Option<EarlierPost>, StoreError> {
        let found = sqlx::query!(
            r#"-- ingest::earlier_post
            SELECT k.request_hash, k.message_id,
                   EXISTS (SELECT FROM message m WHERE m.id = k.message_id) AS "is_stored!"
            FROM idempotency_key k
            WHERE k.key_hash = $1 AND k.slot >= date_bin('6 hours', now(), 'epoch') - interval '12 hours'
            ORDER BY k.slot DESC LIMIT 1"#,
            key_hash.as_slice(),
        )
        .fetch_optional(&self.claims)
        .await?;
        found
            .map(|row| {
                let request_hash = row
                    .request_hash
                    .try_into()
                    .map_err(|_| StoreError::Inconsistent("a request hash is not 32 bytes".to_owned()))?;
                let message_id = row.message_id.map(MessageId::from);
                Ok(EarlierPost { request_hash, message_id, is_stored: row.is_stored })
            })
            .transpose()
    }
}

/// The statement.
async fn insert(
    connection: &mut Connection,
    epoch: i64,
    batch: &[FannedOut<'_>],
) -> Result<Vec<(MessageId, Refusal)>, StoreError> {
    let c = Columns::of(batch);
    let row = sqlx::query!(
            r#"-- ingest::insert_messages
            WITH live AS MATERIALIZED (
                SELECT epoch FROM node_fence WHERE epoch = $1 FOR KEY SHARE
            ), posted AS MATERIALIZED (
                SELECT u.*, date_bin('6 hours', now(), 'epoch') AS slot
                FROM live CROSS JOIN unnest(
                    $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bytea[],
                    $10::bytea[], $11::bytea[], $16::jsonb[], $17::bytea[]
                ) AS u(id, application_id, version, event_type, event_id, channels, tags, payload, key_hash, request_hash,
                       headers, trace)
            ), fresh AS MATERIALIZED (
                SELECT p.* FROM posted p
                JOIN application a ON a.id = p.application_id
                WHERE (a.config_version = p.version AND a.deleted_at IS NULL) IS TRUE
            ), keyed AS (
                INSERT INTO idempotency_key (slot, key_hash, request_hash, message_id)
                SELECT f.slot, f.key_hash, f.request_hash, f.id FROM fresh f
                WHERE f.key_hash IS NOT NULL
                  AND NOT EXISTS (
                      SELECT FROM idempotency_key k
                      WHERE k.key_hash = f.key_hash AND k.slot >= f.slot - interval '12 hours' AND k.slot < f.slot
                        AND (k.created_at > now() - interval '12 hours') IS TRUE)
                ON CONFLICT DO NOTHING
                RETURNING message_id
            ), named AS (
                INSERT INTO message_event_id (application_id, event_id, message_id)
                SELECT f.application_id, f.event_id, f.id FROM fresh f
                WHERE f.event_id IS NOT NULL AND (f.key_hash IS NULL OR f.id IN (SELECT message_id FROM keyed))
                ON CONFLICT DO NOTHING
                RETURNING message_id
            ), written AS (
                INSERT INTO message (id, application_id, event_type, event_id, channels, tags, payload, headers, trace)
                SELECT f.id, f.application_id, f.event_type, f.event_id,
                       string_to_array(f.channels, ','), string_to_array(f.tags, ','), f.payload, f.headers, f.trace
                FROM fresh f
                WHERE (f.key_hash IS NULL OR f.id IN (SELECT message_id FROM keyed))
                  AND (f.event_id IS NULL OR f.id IN (SELECT message_id FROM named))
                RETURNING id
            ), fanned AS MATERIALIZED (
                SELECT d.* FROM unnest($12::uuid[], $13::uuid[], $14::uuid[], $15::text[]::delivery_state[])
                    AS d(message_id, endpoint_id, application_id, state)
                WHERE (d.message_id IN (SELECT id FROM written)) IS TRUE
            ), delivered AS (
                INSERT INTO delivery (message_id, endpoint_id, owner, state)
                SELECT d.message_id, d.endpoint_id, CASE WHEN d.state = 'in_flight' THEN $1 END, d.state FROM fanned d
            ), waiting AS (
                INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
                SELECT d.message_id, d.endpoint_id, d.application_id, now(), 0 FROM fanned d WHERE d.state <> 'in_flight'
            ), refused AS (
                SELECT p.id, CASE
                    WHEN (p.id IN (SELECT id FROM fresh)) IS NOT TRUE THEN 'stale'
                    WHEN p.key_hash IS NOT NULL AND (p.id IN (SELECT message_id FROM keyed)) IS NOT TRUE THEN 'key_used'
                    ELSE 'event_id_taken' END AS reason
                FROM posted p WHERE (p.id IN (SELECT id FROM written)) IS NOT TRUE
            )
            SELECT (SELECT epoch FROM live) AS epoch,
                   array(SELECT id FROM refused ORDER BY id) AS "ids!",
                   array(SELECT reason FROM refused ORDER BY id) AS "reasons!""#,
            epoch,
            &c.ids,
            &c.applications,
            &c.versions,
            &c.event_types as &[&str],
            &c.event_ids as &[Option<&str>],
            &c.channels as &[Option<String>],
            &c.tags as &[Option<String>],
            &c.payloads as &[&[u8]],
            &c.key_hashes as &[Option<&[u8]>],
            &c.request_hashes as &[Option<&[u8]>],
            &c.delivery_messages,
            &c.delivery_endpoints,
            &c.delivery_applications,
            &c.delivery_states as &[&str],
            &c.headers as &[Option<Value>],
            &c.traces as &[Option<Vec<u8>>],
        )
        .fetch_one(connection)
        .await?;
    if row.epoch.is_none() {
        return Err(StoreError::LeaseLost);
    }
    Ok(row
        .ids
        .into_iter()
        .map(MessageId::from)
        .zip(row.reasons.iter().map(|reason| refusal(reason)))
        .collect())
}

fn refusal(reason: &str) -> Refusal {
    match reason {
        "stale" => Refusal::Stale,
        "key_used" => Refusal::KeyUsed,
        _ => Refusal::EventIdTaken,
    }
}
