//! A replay that asks first: it sends the oldest dead letter of each endpoint alone, waits for the answer, and goes on only if
//! it is 2xx. One that is not ends the replay, and the others stay open.
//!
//! The task's place says what is asked: the endpoints go by id, a chunk of them at a time.

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::domain::delivery::dead_letter::DeadLetterFilter;
use crate::domain::id::EndpointId;
use crate::store::StoreError;
use crate::store::database::connection::Connection;
use crate::store::dead_letter_filter::filter_dead_letters;

use super::chunk::{Chunk, LockedTask};
use super::replay;
use super::replayed::Replayed;

/// The error of a replay whose oldest letter was not answered 2xx.
const FIRST_WAS_REFUSED: &str = "first_was_refused";

/// Where a replay stands that asks first.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Place {
    /// Endpoints up to this one have been asked.
    after: Uuid,
    /// Deliveries whose answers it waits for: message and endpoint.
    asked: Vec<(Uuid, Uuid)>,
    /// Every endpoint has answered well.
    is_over: bool,
}

/// The oldest letter of an endpoint.
struct Oldest {
    id: Uuid,
    message_id: Uuid,
    endpoint_id: Uuid,
}

/// Replays the next chunk of a background task, which may ask first.
pub(super) async fn advance(tx: &mut Connection, task: &LockedTask, chunk: i64) -> Result<Chunk, StoreError> {
    let filter: DeadLetterFilter = task.order()?;
    if filter.oldest_first
        && let Some(asked) = ask(tx, task, &filter, chunk).await?
    {
        return Ok(asked);
    }
    replay::advance(tx, task, chunk).await
}

/// The next step of asking; `None` when every endpoint has answered well.
async fn ask(
    tx: &mut Connection,
    task: &LockedTask,
    filter: &DeadLetterFilter,
    chunk: i64,
) -> Result<Option<Chunk>, StoreError> {
    let place = task.place.clone().map(serde_json::from_value::<Place>).transpose();
    let mut place = place
        .map_err(|error| StoreError::Inconsistent(format!("the place of a background task: {error}")))?
        .unwrap_or_default();
    if place.is_over {
        return Ok(None);
    }
    match answers(tx, &place.asked).await? {
        Answers::Missing => return Ok(Some(Chunk::waiting())),
        Answers::Refused => return Ok(Some(Chunk::failed(FIRST_WAS_REFUSED))),
        Answers::Good => {}
    }
    let oldest = choose_oldest(tx, task, filter, place.after, chunk).await?;
    let ids: Vec<Uuid> = oldest.iter().map(|letter| letter.id).collect();
    let replayed = if ids.is_empty() {
        Replayed::default()
    } else {
        replay::replay_chosen(tx, &ids, filter.means_discarded(), filter.to_endpoint_id).await?
    };
    place.is_over = oldest.is_empty();
    place.after = oldest.last().map_or(place.after, |letter| letter.endpoint_id);
    place.asked = oldest.into_iter().map(|letter| (letter.message_id, letter.endpoint_id)).collect();
    Ok(Some(Chunk::replayed_at(replayed, json!(place))))
}

/// What was answered to what was asked.
enum Answers {
    /// Everything was answered 2xx.
    Good,
    /// Something was not.
    Refused,
    /// Something was not answered yet.
    Missing,
}

async fn answers(tx: &mut Connection, asked: &[(Uuid, Uuid)]) -> Result<Answers, StoreError> {
    let (messages, endpoints): (Vec<Uuid>, Vec<Uuid>) = asked.iter().copied().unzip();
    // A delivery begins anew at no attempt, so its first attempt has been made once there is one.
    let found = sqlx::query!(
        r#"-- delivery::answers
        SELECT coalesce(bool_or(coalesce(d.state <> 'delivered' AND (d.attempts > 0 OR d.state IN ('dead', 'cancelled')),
                                         true)), false) AS "is_refused!",
               coalesce(bool_or(d.state <> 'delivered'), false) AS "is_missing!"
        FROM unnest($1::uuid[], $2::uuid[]) AS c(message_id, endpoint_id)
        LEFT JOIN LATERAL (
            SELECT state, attempts FROM delivery d
            WHERE d.message_id = c.message_id AND d.endpoint_id = c.endpoint_id OFFSET 0
        ) d ON true"#,
        &messages,
        &endpoints,
    )
    .fetch_one(tx)
    .await?;
    Ok(match (found.is_refused, found.is_missing) {
        (true, _) => Answers::Refused,
        (false, true) => Answers::Missing,
        (false, false) => Answers::Good,
    })
}

/// The oldest letter that can be replayed, of each of the next endpoints, by endpoint.
async fn choose_oldest(
    tx: &mut Connection,
    task: &LockedTask,
    filter: &DeadLetterFilter,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Oldest>, StoreError> {
    let chosen = filter.chosen();
    Ok(filter_dead_letters!(
        query_as!(Oldest),
        "-- dead_letter::choose_oldest",
        r#"SELECT DISTINCT ON (e.id) l.id, l.message_id, e.id AS endpoint_id
        FROM dead_letter l
        JOIN endpoint e ON e.id = coalesce($12, l.endpoint_id) AND e.application_id = l.application_id
        JOIN application a ON a.id = l.application_id"#,
        r#"AND l.replayed_at IS NULL AND (l.discarded_at IS NOT NULL) = $9
          AND l.died_at <= $10
          AND ($11::uuid[] IS NULL OR l.id = ANY($11))
          AND e.id > $13 AND e.deleted_at IS NULL AND a.deleted_at IS NULL AND l.payload IS NOT NULL
          AND (e.id = l.endpoint_id OR (
              SELECT true FROM delivery d WHERE d.message_id = l.message_id AND d.endpoint_id = e.id) IS NULL)
        ORDER BY e.id, l.id LIMIT $14"#,
        task.environment_id,
        filter,
        filter.means_discarded(),
        task.created_at,
        chosen.as_deref(),
        filter.to_endpoint_id.map(EndpointId::uuid),
        after,
        limit,
    )
    .fetch_all(tx)
    .await?)
}
