//! What exports read, page by page: attempts message after message, and the payloads of dead letters.

use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::id::{ApplicationId, AttemptId, DeadLetterId, MessageId};
use crate::store::StoreError;
use crate::store::database::span::{TimeBounds, earliest_after};

use super::HistoryStore;
use super::attempt::{AttemptRecord, Row};

/// Attempts of a page: with their answers, of 16 KiB each at most.
const ATTEMPTS_PER_PAGE: usize = 100;
/// Messages whose attempts are looked for in one page.
const MESSAGES_PER_PAGE: usize = 50;

/// A page of attempts.
#[derive(Debug)]
pub struct AttemptPage {
    /// They are in the order of their messages.
    pub rows: Vec<AttemptRecord>,
    /// Where the next page goes on; `None` after the last.
    pub next: Option<(MessageId, AttemptId)>,
}

fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

impl HistoryStore {
    /// The next attempts of an application after a place, of messages that were accepted within `bounds`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn attempts_of_application(
        &self,
        application: ApplicationId,
        bounds: TimeBounds,
        with_content: bool,
        after: Option<(MessageId, AttemptId)>,
    ) -> Result<AttemptPage, StoreError> {
        let (above, below) = bounds.ids();
        let begun = after.map(|(message, attempt)| (message.uuid(), attempt.uuid()));
        let messages = sqlx::query_scalar!(
            r#"-- export::messages
            SELECT id FROM message
            WHERE application_id = $1 AND id >= $2 AND id > $3 AND id < $4 ORDER BY id LIMIT $5"#,
            application.uuid(),
            begun.map_or(Uuid::nil(), |(message, _)| message),
            above,
            below,
            limit(MESSAGES_PER_PAGE),
        )
        .fetch_all(&self.pool)
        .await?;
        let Some(last) = messages.last().copied() else {
            return Ok(AttemptPage { rows: Vec::new(), next: None });
        };
        // No attempt is older than its message, so older partitions are not looked into.
        let afters: Vec<Uuid> = messages
            .iter()
            .map(|message| match begun {
                Some((first, attempt)) if first == *message => attempt,
                _ => earliest_after(MessageId::from(*message).created_at()),
            })
            .collect();
        let rows = sqlx::query_as!(
            Row,
            r#"-- export::attempts
            SELECT t.id AS "id!", t.message_id AS "message_id!", t.endpoint_id AS "endpoint_id!", t.url AS "url!",
                   t.number AS "number!", t.trigger::text AS "trigger!", t.delivered AS "delivered!", t.failure,
                   t.http_status, CASE WHEN $3 THEN t.response_body END AS response,
                   CASE WHEN $3 THEN t.response_headers END AS "response_headers: Json<Vec<(String, String)>>",
                   t.duration_ms AS "duration_ms!", t.resolve_us, t.connect_us, t.tls_us, t.first_byte_us,
                   NULL::text AS event_type, NULL::text AS event_id, NULL::text[] AS channels, NULL::text[] AS tags
            FROM unnest($1::uuid[], $2::uuid[]) AS u(message_id, after) CROSS JOIN LATERAL (
                SELECT * FROM attempt a WHERE a.message_id = u.message_id AND a.id > u.after ORDER BY a.id LIMIT $4
            ) t
            ORDER BY t.message_id, t.id LIMIT $4"#,
            &messages,
            &afters,
            with_content,
            limit(ATTEMPTS_PER_PAGE),
        )
        .fetch_all(&self.pool)
        .await?;
        let next: Option<(MessageId, AttemptId)> = if rows.len() >= ATTEMPTS_PER_PAGE {
            rows.last().map(|row| (row.message_id.into(), row.id.into()))
        } else {
            Some((last.into(), Uuid::max().into())).filter(|_| messages.len() >= MESSAGES_PER_PAGE)
        };
        Ok(AttemptPage { rows: rows.into_iter().map(Into::into).collect(), next })
    }

    /// The payloads of dead letters, in the order of their ids: as many as fit into `max_bytes`, and that of one at least.
    /// `None` for one that was expunged.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn dead_letter_payloads(
        &self,
        ids: &[DeadLetterId],
        max_bytes: usize,
    ) -> Result<Vec<(DeadLetterId, Option<Vec<u8>>)>, StoreError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        // The sizes are known without reading what is large, and what does not fit is not read.
        let rows = sqlx::query!(
            r#"-- export::dead_letter_payloads
            SELECT id, payload FROM (
                SELECT id, payload, row_number() OVER listed AS place,
                       sum(octet_length(payload)) OVER (listed ROWS UNBOUNDED PRECEDING) AS bytes
                FROM dead_letter WHERE id = ANY($1)
                WINDOW listed AS (ORDER BY id)
            ) weighed
            WHERE place = 1 OR coalesce(bytes, 0) <= $2
            ORDER BY id"#,
            &ids,
            limit(max_bytes),
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (row.id.into(), row.payload)).collect())
    }
}
