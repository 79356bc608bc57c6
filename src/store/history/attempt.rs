//! Reading attempts. Writing them is the recorder's. Attempts lie in partitions by their own time, and an attempt
//! is never older than its message: that bounds what a look-up by message reads.

use std::time::Duration;

use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::delivery::attempt::{Timings, Trigger};
use crate::domain::id::{AttemptId, EndpointId, MessageId};
use crate::domain::page::Scan;
use crate::store::database::span::{TimeBounds, earliest_after};
use crate::store::{Span, StoreError};

use super::HistoryStore;
use super::message::MessageFilter;

/// An attempt as it is shown.
#[derive(Debug, Clone)]
pub struct AttemptRecord {
    /// Its id.
    pub id: AttemptId,
    /// Of which message.
    pub message_id: MessageId,
    /// To which endpoint.
    pub endpoint_id: EndpointId,
    /// Where the request went.
    pub url: String,
    /// 1 for the first of a round.
    pub number: u16,
    /// Why it was made.
    pub trigger: Trigger,
    /// Whether the receiver answered 2xx in time.
    pub delivered: bool,
    /// What went wrong.
    pub failure: Option<String>,
    /// The answer's status.
    pub http_status: Option<u16>,
    /// The start of the answer, when that was asked for.
    pub response: Option<Vec<u8>>,
    /// The answer's headers that are kept, when that was asked for.
    pub response_headers: Option<Vec<(String, String)>>,
    /// How long the exchange took.
    pub duration_ms: i32,
    /// How long its steps took.
    pub timings: Timings,
    /// The message that it is of, unless retention took it.
    pub message: Option<AttemptedMessage>,
}

/// The message of an attempt, without its content.
#[derive(Debug, Clone)]
pub struct AttemptedMessage {
    /// Its event type.
    pub event_type: String,
    /// The producer's own id for it.
    pub event_id: Option<String>,
    /// Its channels.
    pub channels: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
}

/// The class of an answer's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusClass {
    /// There was no answer.
    None,
    /// Hundreds: 1 to 5.
    Hundreds(i16),
}

/// Which attempts are meant.
#[derive(Debug, Clone, Default)]
pub struct AttemptFilter {
    /// Only those that delivered, or only those that failed.
    pub delivered: Option<bool>,
    /// Only answers of this class.
    pub status_class: Option<StatusClass>,
    /// Made in this time.
    pub made: TimeBounds,
    /// Of messages like this; its time is not looked at.
    pub message: MessageFilter,
}

impl AttemptFilter {
    /// 0 for no answer, otherwise the hundreds.
    fn status_class(&self) -> Option<i16> {
        self.status_class.map(|class| match class {
            StatusClass::None => 0,
            StatusClass::Hundreds(hundreds) => hundreds,
        })
    }
}

/// An attempt as it is stored.
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) message_id: Uuid,
    pub(super) endpoint_id: Uuid,
    pub(super) url: String,
    pub(super) number: i16,
    pub(super) trigger: String,
    pub(super) delivered: bool,
    pub(super) failure: Option<String>,
    pub(super) http_status: Option<i16>,
    pub(super) response: Option<Vec<u8>>,
    pub(super) response_headers: Option<Json<Vec<(String, String)>>>,
    pub(super) duration_ms: i32,
    pub(super) resolve_us: Option<i32>,
    pub(super) connect_us: Option<i32>,
    pub(super) tls_us: Option<i32>,
    pub(super) first_byte_us: Option<i32>,
    pub(super) event_type: Option<String>,
    pub(super) event_id: Option<String>,
    pub(super) channels: Option<Vec<String>>,
    pub(super) tags: Option<Vec<String>>,
}

/// A time as it is stored.
fn step(took_us: Option<i32>) -> Option<Duration> {
    took_us.map(|took_us| Duration::from_micros(took_us.max(0).unsigned_abs().into()))
}

impl From<Row> for AttemptRecord {
    fn from(row: Row) -> Self {
        let message = row.event_type.map(|event_type| AttemptedMessage {
            event_type,
            event_id: row.event_id,
            channels: row.channels.unwrap_or_default(),
            tags: row.tags.unwrap_or_default(),
        });
        Self {
            id: row.id.into(),
            message_id: row.message_id.into(),
            endpoint_id: row.endpoint_id.into(),
            url: row.url,
            number: row.number.unsigned_abs(),
            trigger: Trigger::from_name(&row.trigger).unwrap_or(Trigger::Scheduled),
            delivered: row.delivered,
            failure: row.failure,
            http_status: row.http_status.map(i16::cast_unsigned),
            response: row.response,
            response_headers: row.response_headers.map(|headers| headers.0),
            duration_ms: row.duration_ms,
            timings: Timings {
                resolve: step(row.resolve_us),
                connect: step(row.connect_us),
                tls: step(row.tls_us),
                first_byte: step(row.first_byte_us),
            },
            message,
        }
    }
}

/// Attempts with what is known of their messages. The answers are read when `$2` is true.
macro_rules! select_attempts {
    ($name:literal, $condition:literal, $($arguments:tt)*) => {
        sqlx::query_as!(
            Row,
            $name + "
            SELECT t.id, t.message_id, t.endpoint_id, t.url, t.number, t.trigger::text AS \"trigger!\", t.delivered, t.failure,
                   t.http_status, CASE WHEN $2 THEN t.response_body END AS response,
                   CASE WHEN $2 THEN t.response_headers END AS \"response_headers: Json<Vec<(String, String)>>\",
                   t.duration_ms, t.resolve_us, t.connect_us, t.tls_us, t.first_byte_us,
                   m.event_type AS \"event_type?\", m.event_id, m.channels, m.tags
            FROM attempt t LEFT JOIN message m ON m.id = t.message_id
            " + $condition,
            $($arguments)*
        )
    };
}

impl HistoryStore {
    /// Attempts at an endpoint, by id. That the endpoint is the caller's has been looked up.
    pub async fn attempts_at_endpoint(
        &self,
        endpoint: EndpointId,
        filter: &AttemptFilter,
        with_content: bool,
        scan: &Scan<AttemptId>,
    ) -> Result<Vec<AttemptRecord>, StoreError> {
        let span = Span::of(scan).within(filter.made);
        let rows = select_attempts!(
            "-- attempt::list_by_endpoint",
            r#"WHERE t.endpoint_id = $1
              AND ($3::boolean IS NULL OR t.delivered = $3)
              AND ($4::smallint IS NULL OR coalesce(t.http_status / 100, 0) = $4)
              AND ($5::text[] IS NULL OR m.event_type = ANY($5))
              AND ($6::text IS NULL OR $6 = ANY(m.channels))
              AND ($7::text IS NULL OR $7 = ANY(m.tags))
              AND t.id > $8 AND t.id < $9
            ORDER BY CASE WHEN $10 THEN t.id END, CASE WHEN NOT $10 THEN t.id END DESC
            LIMIT $11"#,
            endpoint.uuid(),
            with_content,
            filter.delivered,
            filter.status_class(),
            filter.message.event_types(),
            filter.message.channel.as_deref(),
            filter.message.tag.as_deref(),
            span.above,
            span.below,
            span.ascending,
            span.limit,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Attempts of a message, by id, at one endpoint or at all. That the message is the caller's has been looked
    /// up.
    pub async fn attempts_of_message(
        &self,
        message: MessageId,
        endpoint: Option<EndpointId>,
        filter: &AttemptFilter,
        with_content: bool,
        scan: &Scan<AttemptId>,
    ) -> Result<Vec<AttemptRecord>, StoreError> {
        let span = Span::of(scan).within(filter.made);
        let rows = select_attempts!(
            "-- attempt::list_by_message",
            r#"WHERE t.message_id = $1 AND ($3::uuid IS NULL OR t.endpoint_id = $3)
              AND ($4::boolean IS NULL OR t.delivered = $4)
              AND ($5::smallint IS NULL OR coalesce(t.http_status / 100, 0) = $5)
              AND ($6::text[] IS NULL OR m.event_type = ANY($6))
              AND ($7::text IS NULL OR $7 = ANY(m.channels))
              AND ($8::text IS NULL OR $8 = ANY(m.tags))
              AND t.id > $9 AND t.id < $10
            ORDER BY CASE WHEN $11 THEN t.id END, CASE WHEN NOT $11 THEN t.id END DESC
            LIMIT $12"#,
            message.uuid(),
            with_content,
            endpoint.map(EndpointId::uuid),
            filter.delivered,
            filter.status_class(),
            filter.message.event_types(),
            filter.message.channel.as_deref(),
            filter.message.tag.as_deref(),
            span.above.max(earliest_after(message.created_at())),
            span.below,
            span.ascending,
            span.limit,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// One attempt of a message. That the message is the caller's has been looked up.
    pub async fn attempt(
        &self,
        message: MessageId,
        attempt: AttemptId,
    ) -> Result<Option<AttemptRecord>, StoreError> {
        let row = select_attempts!(
            "-- attempt::get",
            r#"WHERE t.message_id = $1 AND t.id = $3"#,
            message.uuid(),
            true,
            attempt.uuid(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(Into::into))
    }
}
