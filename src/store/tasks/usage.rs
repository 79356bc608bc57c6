//! The steps of tasks that tell how an environment is used: how many messages its applications posted, and which
//! event types they ask for. Everything is read by an index, in chunks; what is found out is kept with the task.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::background_task::UsageOrder;
use crate::domain::id::ApplicationId;
use crate::store::StoreError;
use crate::store::database::connection::Connection;
use crate::store::database::span::TimeBounds;

use super::chunk::{Chunk, LockedTask};

/// So many messages are counted for each that another kind of task would move.
const MESSAGES_COUNTED_PER_ROW_MOVED: i64 = 10;
/// So many applications are looked at in one step at most.
const APPLICATIONS_PER_STEP: i64 = 100;

/// Where a count stands: in the middle of an application.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Place {
    application: Uuid,
    uid: Option<String>,
    message: Uuid,
    messages: i64,
    destinations: i64,
}

impl Place {
    fn of(task: &LockedTask) -> Result<Option<Self>, StoreError> {
        let read = |place: &Value| {
            Option::<Self>::deserialize(place)
                .map_err(|error| StoreError::Inconsistent(format!("the place of a count: {error}")))
        };
        task.place.as_ref().map(read).transpose().map(Option::flatten)
    }

    fn item(&self) -> Value {
        json!({
            "appId": ApplicationId::from(self.application),
            "appUid": self.uid,
            "messages": self.messages,
            "messageDestinations": self.destinations,
        })
    }
}

/// Counts on: the messages that applications posted in a time, and their deliveries, as far as both are retained.
pub(super) async fn count_messages(
    tx: &mut Connection,
    task: &LockedTask,
    chunk: i64,
) -> Result<Chunk, StoreError> {
    let order: UsageOrder = task.order()?;
    let mut place = Place::of(task)?;
    let mut position = task.position.unwrap_or_default();
    let mut budget = chunk.saturating_mul(MESSAGES_COUNTED_PER_ROW_MOVED);
    let mut items = Vec::new();
    for _ in 0..APPLICATIONS_PER_STEP {
        let current = match place.take() {
            Some(current) => Some(current),
            None => next_application(tx, task, &order, position).await?,
        };
        let Some(mut current) = current else {
            return Ok(Chunk {
                done: items.len() as u64,
                position: Some(position),
                items,
                finished: true,
                ..Chunk::default()
            });
        };
        let counted = count_on(tx, &order, &mut current, budget).await?;
        if counted == budget {
            place = Some(current);
            break;
        }
        budget -= counted;
        position = current.application;
        items.push(current.item());
    }
    let place = serde_json::to_value(place)
        .map_err(|error| StoreError::Inconsistent(format!("the place of a count: {error}")))?;
    Ok(Chunk {
        done: items.len() as u64,
        position: Some(position),
        place: Some(place),
        items,
        finished: false,
        ..Chunk::default()
    })
}

/// The next application; a deleted one counts when it was there in the time that is asked about.
async fn next_application(
    tx: &mut Connection,
    task: &LockedTask,
    order: &UsageOrder,
    position: Uuid,
) -> Result<Option<Place>, StoreError> {
    let only: Option<Vec<Uuid>> =
        order.application_ids.as_ref().map(|ids| ids.iter().map(|id| id.uuid()).collect());
    let next = sqlx::query!(
        r#"-- application::next_for_usage
        SELECT id, CASE WHEN deleted_at IS NULL THEN uid END AS uid FROM application
        WHERE environment_id = $1 AND purpose IS NULL AND id > $2 AND ($3::uuid[] IS NULL OR id = ANY($3))
          AND (deleted_at IS NULL OR deleted_at >= $4)
        ORDER BY id LIMIT 1"#,
        task.environment_id,
        position,
        only.as_deref(),
        order.since,
    )
    .fetch_optional(tx)
    .await?;
    Ok(next.map(|row| Place { application: row.id, uid: row.uid, ..Place::default() }))
}

/// Counts `budget` messages at most, and returns how many it were.
async fn count_on(
    tx: &mut Connection,
    order: &UsageOrder,
    place: &mut Place,
    budget: i64,
) -> Result<i64, StoreError> {
    let (above, below) = TimeBounds { since: Some(order.since), until: Some(order.until) }.ids();
    let counted = sqlx::query!(
        r#"-- message::count_on
        WITH page AS MATERIALIZED (
            SELECT id FROM message WHERE application_id = $1 AND id > $2 AND id < $3 ORDER BY id LIMIT $4
        )
        SELECT (SELECT count(*) FROM page) AS "messages!",
               (SELECT count(*) FROM page CROSS JOIN LATERAL (
                    SELECT FROM delivery d WHERE d.message_id = page.id) d) AS "destinations!",
               (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last"#,
        place.application,
        place.message.max(above),
        below,
        budget,
    )
    .fetch_one(tx)
    .await?;
    place.messages += counted.messages;
    place.destinations += counted.destinations;
    place.message = counted.last.unwrap_or(place.message);
    Ok(counted.messages)
}

/// Lists on: which event types the live endpoints of each application ask for, and whether one asks for all.
pub(super) async fn list_event_types(tx: &mut Connection, task: &LockedTask) -> Result<Chunk, StoreError> {
    let rows = sqlx::query!(
        r#"-- application::asked_event_types
        SELECT a.id, bool_or(e.id IS NOT NULL AND e.event_types IS NULL) AS "catch_all!",
               coalesce(array_agg(DISTINCT t.name ORDER BY t.name) FILTER (WHERE t.name IS NOT NULL), '{}')
                   AS "names!"
        FROM (
            SELECT id FROM application
            WHERE environment_id = $1 AND purpose IS NULL AND deleted_at IS NULL AND id > $2
            ORDER BY id LIMIT $3
        ) a
        LEFT JOIN endpoint e ON e.application_id = a.id AND e.deleted_at IS NULL
        LEFT JOIN LATERAL unnest(e.event_types) AS t(name) ON true
        GROUP BY a.id ORDER BY a.id"#,
        task.environment_id,
        task.position.unwrap_or_default(),
        APPLICATIONS_PER_STEP,
    )
    .fetch_all(tx)
    .await?;
    let Some(position) = rows.last().map(|row| row.id) else { return Ok(Chunk::last()) };
    let items: Vec<Value> = rows
        .into_iter()
        .map(|row| {
            json!({
                "appId": ApplicationId::from(row.id),
                "explicitlySubscribedEventTypes": row.names,
                "hasCatchAllEndpoint": row.catch_all,
            })
        })
        .collect();
    Ok(Chunk { done: items.len() as u64, position: Some(position), items, ..Chunk::default() })
}
