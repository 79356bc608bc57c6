//! Deliveries as callers see them: which messages an endpoint got, and which endpoints got a message, each with
//! where it stands. Both read one index in the order of its key.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::delivery::Standing;
use crate::domain::id::{EndpointId, MessageId};
use crate::domain::page::{Scan, Stretch};
use crate::store::{Span, StoreError};

use super::HistoryStore;
use super::message::{Content, ListedContent, MessageFilter, MessageRecord, stored_length};

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryStanding {
    /// In the words of callers.
    pub standing: Standing,
    /// When it is tried next, as long as it waits and no node has it in hand.
    pub next_attempt: Option<DateTime<Utc>>,
}

fn standing(name: &str, next_attempt: Option<DateTime<Utc>>) -> Result<DeliveryStanding, StoreError> {
    let standing = Standing::from_name(name)
        .ok_or_else(|| StoreError::Inconsistent(format!("a delivery that stands at {name}")))?;
    Ok(DeliveryStanding { standing, next_attempt })
}

impl HistoryStore {
    /// The messages that were fanned out to an endpoint, by id. That the endpoint is the caller's has been looked
    /// up. With `standings`, only those that stand there.
    pub async fn messages_to_endpoint(
        &self,
        endpoint: EndpointId,
        filter: &MessageFilter,
        standings: Option<&[Standing]>,
        content: ListedContent,
        scan: &Scan<MessageId>,
    ) -> Result<Stretch<(MessageRecord, DeliveryStanding)>, StoreError> {
        let span = Span::of(scan).within(filter.accepted);
        let standings: Option<Vec<&str>> =
            standings.map(|standings| standings.iter().map(|standing| standing.name()).collect());
        let rows = sqlx::query!(
            r#"-- delivery::list_by_endpoint
            SELECT message_id AS "message_id!", standing AS "standing!", next_attempt, event_type AS "event_type!",
                   event_id, channels, tags, CASE WHEN $2 THEN payload END AS payload, found AS "found!"
            FROM (
            SELECT *, count(*) OVER () AS found, row_number() OVER listed AS place,
                   sum(octet_length(payload)) OVER (listed ROWS UNBOUNDED PRECEDING) AS bytes
            FROM (
            SELECT d.message_id, standing, CASE WHEN NOT is_claimed THEN p.due_at END AS next_attempt,
                   m.event_type, m.event_id, m.channels, m.tags, m.payload
            FROM delivery d
            JOIN message m ON m.id = d.message_id
            LEFT JOIN pending p ON p.message_id = d.message_id AND p.endpoint_id = d.endpoint_id
            CROSS JOIN LATERAL (VALUES (p.owner IS NOT NULL AND p.due_at > now())) AS c(is_claimed)
            CROSS JOIN LATERAL delivery_standing(d.state, is_claimed, d.attempts) AS standing
            WHERE d.endpoint_id = $1
              AND ($3::text[] IS NULL OR standing = ANY($3))
              AND ($4::text[] IS NULL OR m.event_type = ANY($4))
              AND ($5::text IS NULL OR $5 = ANY(m.channels))
              AND ($6::text IS NULL OR $6 = ANY(m.tags))
              AND d.message_id > $7 AND d.message_id < $8
            ORDER BY CASE WHEN $9 THEN d.message_id END, CASE WHEN NOT $9 THEN d.message_id END DESC
            LIMIT $10
            ) page
            WINDOW listed AS (ORDER BY CASE WHEN $9 THEN message_id END, CASE WHEN NOT $9 THEN message_id END DESC)
            ) weighed
            WHERE NOT $2 OR place = 1 OR coalesce(bytes, 0) <= $11
            ORDER BY place"#,
            endpoint.uuid(),
            content.is_included(),
            standings.as_deref() as Option<&[&str]>,
            filter.event_types(),
            filter.channel.as_deref(),
            filter.tag.as_deref(),
            span.above,
            span.below,
            span.ascending,
            span.limit,
            content.max_bytes(),
        )
        .fetch_all(&self.pool)
        .await?;
        let is_cut = rows.first().is_some_and(|row| row.found > stored_length(rows.len()));
        let rows: Result<Vec<_>, StoreError> = rows
            .into_iter()
            .map(|row| {
                let message = MessageRecord {
                    id: row.message_id.into(),
                    event_type: row.event_type,
                    event_id: row.event_id,
                    channels: row.channels.unwrap_or_default(),
                    tags: row.tags.unwrap_or_default(),
                    content: content
                        .is_included()
                        .then(|| row.payload.map_or(Content::Expunged, Content::Kept)),
                };
                Ok((message, standing(&row.standing, row.next_attempt)?))
            })
            .collect();
        Ok(Stretch { rows: rows?, is_cut })
    }

    /// The endpoints that a message was fanned out to, by id, deleted ones included as long as they are known. That the
    /// message is the caller's has been looked up.
    pub async fn destinations_of_message(
        &self,
        message: MessageId,
        scan: &Scan<EndpointId>,
    ) -> Result<Vec<(EndpointId, DeliveryStanding)>, StoreError> {
        let span = Span::of(scan);
        let rows = sqlx::query!(
            r#"-- delivery::list_by_message
            SELECT d.endpoint_id, standing AS "standing!", CASE WHEN NOT is_claimed THEN p.due_at END AS next_attempt
            FROM delivery d
            JOIN endpoint e ON e.id = d.endpoint_id
            LEFT JOIN pending p ON p.message_id = d.message_id AND p.endpoint_id = d.endpoint_id
            CROSS JOIN LATERAL (VALUES (p.owner IS NOT NULL AND p.due_at > now())) AS c(is_claimed)
            CROSS JOIN LATERAL delivery_standing(d.state, is_claimed, d.attempts) AS standing
            WHERE d.message_id = $1 AND d.endpoint_id > $2 AND d.endpoint_id < $3
            ORDER BY CASE WHEN $4 THEN d.endpoint_id END, CASE WHEN NOT $4 THEN d.endpoint_id END DESC
            LIMIT $5"#,
            message.uuid(),
            span.above,
            span.below,
            span.ascending,
            span.limit,
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| Ok((Uuid::into(row.endpoint_id), standing(&row.standing, row.next_attempt)?)))
            .collect()
    }
}
