//! Reading messages. Writing them is ingest's.

use http::HeaderMap;
use uuid::Uuid;

use crate::domain::id::reference::Reference;
use crate::domain::id::{ApplicationId, MessageId};
use crate::domain::message_headers;
use crate::domain::page::{Scan, Stretch};
use crate::store::database::pool::Pool;
use crate::store::database::span::TimeBounds;
use crate::store::{Span, StoreError};

use super::HistoryStore;

/// A message as it is shown.
#[derive(Debug, Clone)]
pub struct MessageRecord {
    /// Its id.
    pub id: MessageId,
    /// Its event type.
    pub event_type: String,
    /// The producer's own id for it.
    pub event_id: Option<String>,
    /// Its channels.
    pub channels: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its content, when that was asked for.
    pub content: Option<Content>,
}

/// What is left of a message's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The JSON text, byte for byte as it was posted.
    Kept(Vec<u8>),
    /// It was expunged.
    Expunged,
}

/// How much content a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedContent {
    /// None.
    Without,
    /// As much as fits into so many bytes, and that of one item at least.
    Within(usize),
}

impl ListedContent {
    pub(in crate::store) const fn is_included(self) -> bool {
        matches!(self, Self::Within(_))
    }

    pub(in crate::store) fn max_bytes(self) -> i64 {
        match self {
            Self::Without => 0,
            Self::Within(max_bytes) => i64::try_from(max_bytes).unwrap_or(i64::MAX),
        }
    }
}

/// A number of rows as the database counts.
pub(in crate::store) fn stored_length(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Which messages are meant.
#[derive(Debug, Clone, Default)]
pub struct MessageFilter {
    /// Of one of these event types; empty for all.
    pub event_types: Vec<String>,
    /// In this channel.
    pub channel: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// Accepted in this time.
    pub accepted: TimeBounds,
}

impl MessageFilter {
    /// The event types as a statement takes them: none means all.
    pub(super) fn event_types(&self) -> Option<&[String]> {
        (!self.event_types.is_empty()).then_some(self.event_types.as_slice())
    }
}

struct Row {
    id: Uuid,
    event_type: String,
    event_id: Option<String>,
    channels: Option<Vec<String>>,
    tags: Option<Vec<String>>,
    payload: Option<Vec<u8>>,
}

impl Row {
    fn record(self, with_content: bool) -> MessageRecord {
        MessageRecord {
            id: self.id.into(),
            event_type: self.event_type,
            event_id: self.event_id,
            channels: self.channels.unwrap_or_default(),
            tags: self.tags.unwrap_or_default(),
            content: with_content.then(|| self.payload.map_or(Content::Expunged, Content::Kept)),
        }
    }
}

impl HistoryStore {
    /// An application's messages, by id.
    pub async fn messages(
        &self,
        application: ApplicationId,
        filter: &MessageFilter,
        content: ListedContent,
        scan: &Scan<MessageId>,
    ) -> Result<Stretch<MessageRecord>, StoreError> {
        let span = Span::of(scan).within(filter.accepted);
        // The sizes are known without reading what is large, and what does not fit is not read.
        let rows = sqlx::query!(
            r#"-- message::list
            SELECT id AS "id!", event_type AS "event_type!", event_id, channels, tags,
                   CASE WHEN $2 THEN payload END AS payload, found AS "found!"
            FROM (
                SELECT *, count(*) OVER () AS found, row_number() OVER listed AS place,
                       sum(octet_length(payload)) OVER (listed ROWS UNBOUNDED PRECEDING) AS bytes
                FROM (
                    SELECT id, event_type, event_id, channels, tags, payload
                    FROM message
                    WHERE application_id = $1
                      AND ($3::text[] IS NULL OR event_type = ANY($3))
                      AND ($4::text IS NULL OR $4 = ANY(channels))
                      AND ($5::text IS NULL OR $5 = ANY(tags))
                      AND id > $6 AND id < $7
                    ORDER BY CASE WHEN $8 THEN id END, CASE WHEN NOT $8 THEN id END DESC
                    LIMIT $9
                ) page
                WINDOW listed AS (ORDER BY CASE WHEN $8 THEN id END, CASE WHEN NOT $8 THEN id END DESC)
            ) weighed
            WHERE NOT $2 OR place = 1 OR coalesce(bytes, 0) <= $10
            ORDER BY place"#,
            application.uuid(),
            content.is_included(),
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
        let rows = rows.into_iter().map(|row| {
            let row = Row {
                id: row.id,
                event_type: row.event_type,
                event_id: row.event_id,
                channels: row.channels,
                tags: row.tags,
                payload: row.payload,
            };
            row.record(content.is_included())
        });
        Ok(Stretch { rows: rows.collect(), is_cut })
    }

    /// The headers that are sent with a message. That it is the caller's has been looked up.
    pub async fn message_headers(&self, message: MessageId) -> Result<HeaderMap, StoreError> {
        let document = sqlx::query_scalar!(
            r#"-- message::headers
            SELECT headers FROM message WHERE id = $1"#,
            message.uuid(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(message_headers::from_document(document.flatten()))
    }

    /// One message, by our id or by its `eventId`.
    pub async fn message(
        &self,
        application: ApplicationId,
        named: &Reference<MessageId>,
        with_content: bool,
    ) -> Result<Option<MessageRecord>, StoreError> {
        let Some(id) = message_id(&self.pool, application, named).await? else { return Ok(None) };
        let row = sqlx::query_as!(
            Row,
            r#"-- message::get
            SELECT id, event_type, event_id, channels, tags, CASE WHEN $3 THEN payload END AS payload
            FROM message WHERE id = $1 AND application_id = $2"#,
            id.uuid(),
            application.uuid(),
            with_content,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| row.record(with_content)))
    }
}

/// The id of the message that is named so. That it is there, and whose it is, is not told by our own id.
pub(in crate::store) async fn message_id(
    pool: &Pool,
    application: ApplicationId,
    named: &Reference<MessageId>,
) -> Result<Option<MessageId>, StoreError> {
    let event_id = match named {
        Reference::Id(id) => return Ok(Some(*id)),
        Reference::Uid(event_id) => event_id,
    };
    let found = sqlx::query_scalar!(
        r#"-- message::find_by_event_id
        SELECT message_id FROM message_event_id WHERE application_id = $1 AND event_id = $2"#,
        application.uuid(),
        event_id,
    )
    .fetch_optional(pool)
    .await?;
    Ok(found.map(Into::into))
}
