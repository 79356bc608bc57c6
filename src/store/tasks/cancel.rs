//! Calling off what waits: deliveries of one message, or many of an endpoint's. They end as `cancelled`, leave the queue,
//! and are counted. What a node has in hand at that moment is left alone.

use serde_json::json;
use uuid::Uuid;

use crate::domain::access::actor::Actor;
use crate::domain::background_task::WaitingFilter;
use crate::domain::id::{ApplicationId, EndpointId, MessageId};
use crate::store::access::audit::{Entry, note};
use crate::store::database::connection::Connection;
use crate::store::database::span::{TimeBounds, latest_before};
use crate::store::{Capped, StoreError, TaskStore};

use super::chunk::{Chunk, LockedTask};
use super::endpoint_replay::{ROWS_READ_PER_ROW_MOVED, take_matching};
use super::indexes::stay_with_indexes;

/// So many deliveries that wait are looked at to count those that match.
const MAX_LOOKED_AT: i64 = 100_000;

/// What became of the deliveries of a message that were to be called off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelOutcome {
    /// So many were.
    pub cancelled: i64,
    /// So many are being sent at that moment, and go on.
    pub under_way: i64,
}

impl TaskStore {
    /// Calls off what waits of a message, at one endpoint or at all. The message is the application's: the caller has
    /// looked it up.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn cancel_message(
        &self,
        actor: &Actor,
        application: ApplicationId,
        message: MessageId,
        endpoint: Option<EndpointId>,
    ) -> Result<CancelOutcome, StoreError> {
        let mut tx = self.pool.begin().await?;
        let cancelled = cancel(&mut tx, &[message.uuid()], endpoint).await?;
        let under_way = sqlx::query_scalar!(
            r#"-- delivery::count_unended
            SELECT count(*) AS "count!" FROM delivery
            WHERE message_id = $1 AND ($2::uuid IS NULL OR endpoint_id = $2) AND state IN ('in_flight', 'waiting', 'held')"#,
            message.uuid(),
            endpoint.map(EndpointId::uuid),
        )
        .fetch_one(&mut *tx)
        .await?;
        if cancelled > 0 {
            let details = json!({ "endpointId": endpoint, "deliveries": cancelled });
            let entry = Entry::in_application(application, "message.cancelled", message).details(details);
            note(&mut tx, actor, entry).await?;
        }
        tx.commit().await?;
        Ok(CancelOutcome { cancelled, under_way })
    }

    /// How many deliveries a filter would call off now, of the first hundred thousand that wait at the endpoint.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn count_waiting(&self, filter: &WaitingFilter) -> Result<Capped, StoreError> {
        let (above, below) = TimeBounds { since: filter.since, until: filter.until }.ids();
        let mut tx = self.pool.begin().await?;
        stay_with_indexes(&mut tx).await?;
        let found = sqlx::query!(
            r#"-- pending::count_matching
            SELECT count(*) AS "looked_at!",
                   count(*) FILTER (WHERE ($4::text[] IS NULL OR m.event_type = ANY($4))
                                      AND ($5::text IS NULL OR $5 = ANY(m.channels))
                                      AND ($6::text IS NULL OR $6 = ANY(m.tags))) AS "matching!"
            FROM (
                SELECT message_id FROM pending
                WHERE endpoint_id = $1 AND due_at > '-infinity' AND message_id > $2 AND message_id < $3
                  AND (owner IS NULL OR due_at <= now())
                ORDER BY due_at LIMIT $7
            ) p LEFT JOIN message m ON m.id = p.message_id"#,
            filter.endpoint_id.uuid(),
            above,
            below,
            filter.event_types(),
            filter.channel,
            filter.tag,
            MAX_LOOKED_AT,
        )
        .fetch_one(&mut *tx)
        .await?;
        Ok(Capped { count: found.matching, is_capped: found.looked_at >= MAX_LOOKED_AT })
    }
}

/// A step of the task that calls off what waits of a filter.
pub(super) async fn advance(tx: &mut Connection, task: &LockedTask, chunk: i64) -> Result<Chunk, StoreError> {
    let filter: WaitingFilter = task.order()?;
    let (above, below) = TimeBounds { since: filter.since, until: filter.until }.ids();
    let Some(above) = begin_after(tx, &filter, task, above).await? else { return Ok(Chunk::last()) };
    let rows = sqlx::query!(
        r#"-- delivery::look_for_waiting
        SELECT d.message_id,
               (d.state IN ('waiting', 'held') AND ($2::text[] IS NULL OR m.event_type = ANY($2))
                AND ($3::text IS NULL OR $3 = ANY(m.channels)) AND ($4::text IS NULL OR $4 = ANY(m.tags))) AS "matches?"
        FROM delivery d LEFT JOIN message m ON m.id = d.message_id
        WHERE d.endpoint_id = $1 AND d.message_id > $5 AND d.message_id < $6 ORDER BY d.message_id LIMIT $7"#,
        filter.endpoint_id.uuid(),
        filter.event_types(),
        filter.channel,
        filter.tag,
        above,
        below.min(latest_before(task.created_at)),
        chunk * ROWS_READ_PER_ROW_MOVED,
    )
    .fetch_all(&mut *tx)
    .await?;
    let read = rows.into_iter().map(|row| (row.message_id, row.matches.unwrap_or(false))).collect();
    let Some((matching, last)) = take_matching(read, chunk) else { return Ok(Chunk::last()) };
    let cancelled = cancel(tx, &matching, Some(filter.endpoint_id)).await?;
    Ok(Chunk::moved(cancelled.unsigned_abs(), last))
}

/// Where a step begins: after the last one, or before the oldest message that waits. `None` when none does.
async fn begin_after(
    tx: &mut Connection,
    filter: &WaitingFilter,
    task: &LockedTask,
    above: Uuid,
) -> Result<Option<Uuid>, StoreError> {
    if let Some(position) = task.position {
        return Ok(Some(position.max(above)));
    }
    // Apart, so that what waits at other endpoints is not walked through in the order of messages.
    let oldest = sqlx::query_scalar!(
        r#"-- pending::oldest_message
        SELECT message_id AS "message_id!" FROM (
            SELECT message_id FROM pending WHERE endpoint_id = $1 AND due_at > '-infinity' AND message_id > $2 OFFSET 0
        ) p ORDER BY message_id LIMIT 1"#,
        filter.endpoint_id.uuid(),
        above,
    )
    .fetch_optional(tx)
    .await?;
    Ok(oldest.map(|oldest| Uuid::from_u128(oldest.as_u128().saturating_sub(1)).max(above)))
}

/// Calls off what waits of these messages and no node has in hand. Returns how many deliveries.
async fn cancel(
    tx: &mut Connection,
    messages: &[Uuid],
    endpoint: Option<EndpointId>,
) -> Result<i64, StoreError> {
    // A row that is locked is being claimed or recorded at that moment: a node has it in hand.
    Ok(sqlx::query_scalar!(
        r#"-- pending::cancel
        WITH free AS MATERIALIZED (
            SELECT message_id, endpoint_id, application_id FROM pending
            WHERE message_id = ANY($1) AND ($2::uuid IS NULL OR endpoint_id = $2)
              AND (owner IS NULL OR due_at <= now())
            ORDER BY message_id, endpoint_id FOR UPDATE SKIP LOCKED
        ), cancelled AS (
            UPDATE delivery d SET state = 'cancelled', owner = NULL, settled_at = now() FROM free f
            WHERE d.message_id = f.message_id AND d.endpoint_id = f.endpoint_id AND d.state IN ('waiting', 'held')
            RETURNING d.endpoint_id, f.application_id
        ), out_of_queue AS (
            DELETE FROM pending p USING free f
            WHERE p.message_id = f.message_id AND p.endpoint_id = f.endpoint_id
        ), counted AS (
            INSERT INTO endpoint_hour AS r (endpoint_id, hour, node, application_id, delivered, dead, status_2xx,
                                            status_3xx, status_4xx, status_5xx, no_response, duration_ms, cancelled)
            SELECT endpoint_id, date_trunc('hour', now(), 'UTC'), 0, application_id, 0, 0, 0, 0, 0, 0, 0, 0, count(*)
            FROM cancelled GROUP BY endpoint_id, application_id
            ON CONFLICT (endpoint_id, hour, node) DO UPDATE SET cancelled = r.cancelled + excluded.cancelled
        )
        SELECT count(*) AS "count!" FROM cancelled"#,
        messages,
        endpoint.map(EndpointId::uuid),
    )
    .fetch_one(tx)
    .await?)
}
