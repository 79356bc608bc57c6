//! Messages as dispatch carries them, read for rows that were claimed.

use bytes::Bytes;
use uuid::Uuid;

use crate::domain::id::MessageId;
use crate::domain::message::Message;
use crate::domain::message_headers;
use crate::domain::trace_context::TraceContext;
use crate::store::StoreError;

use super::QueueStore;

impl QueueStore {
    /// The messages of these ids that are still there. One without content (expunged) has an empty payload.
    pub async fn load_messages(&self, ids: &[MessageId]) -> Result<Vec<Message>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let rows = sqlx::query!(
            r#"-- message::load
            SELECT m.id, m.application_id, m.event_type, m.event_id, m.channels, m.tags, m.payload, m.headers, m.trace
            FROM message m
            WHERE m.id = ANY($1) AND m.id >= $2 AND m.id <= $3"#,
            &ids,
            ids.iter().min().copied().unwrap_or_default(),
            ids.iter().max().copied().unwrap_or_default(),
        )
        .fetch_all(&self.claims)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Message {
                id: row.id.into(),
                application_id: row.application_id.into(),
                event_type: row.event_type,
                event_id: row.event_id,
                channels: row.channels.unwrap_or_default(),
                tags: row.tags.unwrap_or_default(),
                payload: row.payload.map(Bytes::from).unwrap_or_default(),
                headers: message_headers::from_document(row.headers),
                trace: row.trace.as_deref().and_then(TraceContext::from_bytes),
            })
            .collect())
    }
}
