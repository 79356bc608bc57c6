//! Reading messages. Writing them is ingest's.

use uuid::Uuid;

use crate::domain::id::{ApplicationId, MessageId};
use crate::domain::page::Scan;
use crate::domain::reference::Reference;

use super::span::TimeBounds;
use super::{Span, Store, StoreError};

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

impl Store {
    /// An application's messages, by id.
    pub async fn messages(
        &self,
        application: ApplicationId,
        filter: &MessageFilter,
        with_content: bool,
        scan: &Scan<MessageId>,
    ) -> Result<Vec<MessageRecord>, StoreError> {
        let span = Span::of(scan).within(filter.accepted);
        let rows = sqlx::query_as!(
            Row,
            r#"-- message::list
            SELECT id, event_type, event_id, channels, tags, CASE WHEN $2 THEN payload END AS payload
            FROM message
            WHERE application_id = $1
              AND ($3::text[] IS NULL OR event_type = ANY($3))
              AND ($4::text IS NULL OR $4 = ANY(channels))
              AND ($5::text IS NULL OR $5 = ANY(tags))
              AND id > $6 AND id < $7
            ORDER BY CASE WHEN $8 THEN id END, CASE WHEN NOT $8 THEN id END DESC
            LIMIT $9"#,
            application.uuid(),
            with_content,
            filter.event_types(),
            filter.channel.as_deref(),
            filter.tag.as_deref(),
            span.above,
            span.below,
            span.ascending,
            span.limit,
        )
        .fetch_all(&self.api)
        .await?;
        Ok(rows.into_iter().map(|row| row.record(with_content)).collect())
    }

    /// One message, by our id or by its `eventId`.
    pub async fn message(
        &self,
        application: ApplicationId,
        named: &Reference<MessageId>,
        with_content: bool,
    ) -> Result<Option<MessageRecord>, StoreError> {
        let Some(id) = self.message_id(application, named).await? else { return Ok(None) };
        let row = sqlx::query_as!(
            Row,
            r#"-- message::get
            SELECT id, event_type, event_id, channels, tags, CASE WHEN $3 THEN payload END AS payload
            FROM message WHERE id = $1 AND application_id = $2"#,
            id.uuid(),
            application.uuid(),
            with_content,
        )
        .fetch_optional(&self.api)
        .await?;
        Ok(row.map(|row| row.record(with_content)))
    }

    /// The id of the message that is named so. That it is there, and whose it is, is not told by our own id.
    pub(super) async fn message_id(
        &self,
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
        .fetch_optional(&self.api)
        .await?;
        Ok(found.map(Into::into))
    }
}
