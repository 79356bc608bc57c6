//! A walk through messages, newest first: one step looks at a bounded number of rows, and at a bounded number of payload bytes,
//! and says which of them match. Who walks decides how many steps to take.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::delivery::DeliveryState;
use crate::domain::id::{ApplicationId, EndpointId, EnvironmentId, MessageId};
use crate::store::StoreError;

use super::HistoryStore;
use super::message::{MessageFilter, stored_length};

/// The payloads of one step together, and one payload at the least.
const STEP_BYTES: i64 = 4 << 20;
/// So many deliveries of a message are counted.
const DELIVERIES_COUNTED: i64 = 1_000;

/// Which messages are looked for.
#[derive(Debug, Clone)]
pub struct WalkFilter {
    /// In this environment.
    pub environment: EnvironmentId,
    /// Of this application.
    pub application: Option<ApplicationId>,
    /// With a delivery to this endpoint, which is the environment's.
    pub endpoint: Option<EndpointId>,
    /// With a delivery in this state, to that endpoint or to any.
    pub state: Option<DeliveryState>,
    /// With this in the payload's text or in the `eventId`; letters from A to Z in either case.
    pub text: Option<String>,
    /// Like this.
    pub message: MessageFilter,
}

/// A message that was found, without its payload.
#[derive(Debug, Clone)]
pub struct FoundMessage {
    /// Its id.
    pub id: MessageId,
    /// Its application.
    pub application_id: ApplicationId,
    /// The application's name.
    pub application_name: String,
    /// Its event type.
    pub event_type: String,
    /// The producer's own id for it.
    pub event_id: Option<String>,
    /// Its channels.
    pub channels: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The payload's size; `None` once it was expunged.
    pub size_bytes: Option<i32>,
}

/// What a step looked at.
#[derive(Debug, Default)]
pub struct WalkStep {
    /// The messages in their order, each with whether it matches.
    pub looked_at: Vec<(MessageId, Option<FoundMessage>)>,
    /// There is nothing behind them.
    pub is_end: bool,
}

struct Row {
    id: Uuid,
    matches: bool,
    candidates: i64,
    application_id: Option<Uuid>,
    application_name: Option<String>,
    event_type: Option<String>,
    event_id: Option<String>,
    channels: Option<Vec<String>>,
    tags: Option<Vec<String>>,
    size_bytes: Option<i32>,
}

impl Row {
    fn found(self) -> Option<FoundMessage> {
        if !self.matches {
            return None;
        }
        Some(FoundMessage {
            id: self.id.into(),
            application_id: self.application_id?.into(),
            application_name: self.application_name?,
            event_type: self.event_type?,
            event_id: self.event_id,
            channels: self.channels.unwrap_or_default(),
            tags: self.tags.unwrap_or_default(),
            size_bytes: self.size_bytes,
        })
    }
}

/// The messages that `$candidates` chooses, each with whether it matches. `$1` is what they are chosen by, `$2` and `$3` are the
/// ids between which they are, `$4` is how many are looked at.
macro_rules! look_at {
    ($name:literal, $candidates:literal, $($arguments:tt)*) => {
        sqlx::query_as!(
            Row,
            $name + "
            WITH candidate AS MATERIALIZED (
            " + $candidates + "
            ), weighed AS (
                SELECT c.id, m.application_id, m.event_type, m.event_id, m.channels, m.tags, m.payload,
                       octet_length(m.payload) AS size_bytes, count(*) OVER () AS candidates,
                       sum(octet_length(m.payload)) OVER (
                           ORDER BY c.id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
                FROM candidate c LEFT JOIN LATERAL (
                    -- One by one through the key: a join of another kind would read all messages.
                    SELECT * FROM message m WHERE m.id = c.id OFFSET 0
                ) m ON true
            )
            SELECT w.id AS \"id!\", w.candidates AS \"candidates!\", w.application_id AS \"application_id?\",
                   a.name AS \"application_name?\", w.event_type AS \"event_type?\", w.event_id, w.channels, w.tags, w.size_bytes,
                   (a.environment_id = $5 AND a.purpose IS NULL
                    AND ($6::text[] IS NULL OR w.event_type = ANY($6))
                    AND ($7::text IS NULL OR $7 = ANY(w.channels))
                    AND ($8::text IS NULL OR $8 = ANY(w.tags))
                    AND ($9::text IS NULL OR (
                        SELECT true FROM delivery d
                        WHERE d.message_id = w.id AND ($10::uuid IS NULL OR d.endpoint_id = $10)
                          AND d.state = $9::text::delivery_state LIMIT 1))
                    AND ($11::text IS NULL OR coalesce(strpos(lower(w.event_id COLLATE \"C\"), lower($11 COLLATE \"C\")) > 0, false)
                         OR strpos(lower(convert_from(w.payload, 'UTF8') COLLATE \"C\"), lower($11 COLLATE \"C\")) > 0)
                   ) IS TRUE AS \"matches!\"
            FROM weighed w LEFT JOIN application a ON a.id = w.application_id
            WHERE coalesce(w.bytes_before, 0) < $12
            ORDER BY w.id DESC",
            $($arguments)*
        )
    };
}

impl HistoryStore {
    /// Looks at the next `rows` messages below `below`.
    pub async fn walk_messages(
        &self,
        filter: &WalkFilter,
        below: Option<MessageId>,
        rows: usize,
    ) -> Result<WalkStep, StoreError> {
        let (above, until) = filter.message.accepted.ids();
        let below = below.map_or(until, |id| id.uuid().min(until));
        let environment = filter.environment.as_str();
        let state = filter.state.map(DeliveryState::name);
        let endpoint = filter.endpoint.map(EndpointId::uuid);
        let found = match filter.endpoint {
            None => {
                look_at!(
                    "-- message_walk::step",
                    "SELECT m.id FROM message m
                     WHERE ($1::uuid IS NULL OR m.application_id = $1) AND m.id > $2 AND m.id < $3
                     ORDER BY m.id DESC LIMIT $4",
                    filter.application.map(ApplicationId::uuid),
                    above,
                    below,
                    stored_length(rows),
                    environment,
                    filter.message.event_types(),
                    filter.message.channel.as_deref(),
                    filter.message.tag.as_deref(),
                    state,
                    endpoint,
                    filter.text.as_deref(),
                    STEP_BYTES,
                )
                .fetch_all(&self.pool)
                .await?
            }
            Some(endpoint) => {
                look_at!(
                    "-- message_walk::step_of_endpoint",
                    "SELECT d.message_id AS id FROM delivery d
                     WHERE d.endpoint_id = $1 AND d.message_id > $2 AND d.message_id < $3
                     ORDER BY d.message_id DESC LIMIT $4",
                    endpoint.uuid(),
                    above,
                    below,
                    stored_length(rows),
                    environment,
                    filter.message.event_types(),
                    filter.message.channel.as_deref(),
                    filter.message.tag.as_deref(),
                    state,
                    endpoint.uuid(),
                    filter.text.as_deref(),
                    STEP_BYTES,
                )
                .fetch_all(&self.pool)
                .await?
            }
        };
        let candidates = found.first().map_or(0, |row| row.candidates);
        let is_end = candidates < stored_length(rows) && stored_length(found.len()) == candidates;
        let looked_at = found.into_iter().map(|row| (row.id.into(), row.found())).collect();
        Ok(WalkStep { looked_at, is_end })
    }

    /// How many deliveries of each of these messages are in each state; of one message, a thousand are counted.
    pub async fn count_deliveries(
        &self,
        messages: &[MessageId],
    ) -> Result<HashMap<MessageId, Vec<(DeliveryState, i64)>>, StoreError> {
        let messages: Vec<Uuid> = messages.iter().map(|message| message.uuid()).collect();
        let rows = sqlx::query!(
            r#"-- message_walk::count_deliveries
            SELECT c.id AS "id!", d.state AS "state!", count(*) AS "count!"
            FROM unnest($1::uuid[]) AS c(id)
            CROSS JOIN LATERAL (SELECT d.state::text FROM delivery d WHERE d.message_id = c.id LIMIT $2) d
            GROUP BY c.id, d.state"#,
            &messages,
            DELIVERIES_COUNTED,
        )
        .fetch_all(&self.pool)
        .await?;
        let mut counts: HashMap<MessageId, Vec<(DeliveryState, i64)>> = HashMap::new();
        for row in rows {
            if let Some(state) = DeliveryState::from_name(&row.state) {
                counts.entry(row.id.into()).or_default().push((state, row.count));
            }
        }
        Ok(counts)
    }
}
