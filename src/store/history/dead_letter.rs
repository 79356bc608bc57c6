//! Reading dead letters: lists by filter, one with its content, and the count that a dry run tells.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::background_task::TaskKind;
use crate::domain::delivery::dead_letter::{DeadLetterFilter, DeadLetterState, DeathReason};
use crate::domain::id::{ApplicationId, DeadLetterId, EndpointId, EnvironmentId, MessageId};
use crate::domain::page::Scan;
use crate::store::database::connection::Connection;
use crate::store::dead_letter_filter::filter_dead_letters;
use crate::store::{Span, StoreError};

use super::HistoryStore;

/// A dead letter as it is shown, without its content.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// Its id.
    pub id: DeadLetterId,
    /// In which environment.
    pub environment_id: String,
    /// Whose endpoint missed it.
    pub application_id: ApplicationId,
    /// What that application is called.
    pub application_name: String,
    /// The endpoint that missed it.
    pub endpoint_id: EndpointId,
    /// The endpoint's URL, as it is now.
    pub endpoint_url: String,
    /// The message that died.
    pub message_id: MessageId,
    /// The message's event type.
    pub event_type: String,
    /// The producer's own id for it.
    pub event_id: Option<String>,
    /// The message's channels.
    pub channels: Vec<String>,
    /// The message's tags.
    pub tags: Vec<String>,
    /// Why it died.
    pub reason: DeathReason,
    /// The status of the last answer.
    pub last_status: Option<u16>,
    /// What went wrong the last time.
    pub last_failure: Option<String>,
    /// Attempts made in the round that it died in.
    pub attempts: u16,
    /// When it died.
    pub died_at: DateTime<Utc>,
    /// When it was replayed.
    pub replayed_at: Option<DateTime<Utc>>,
    /// When it was discarded.
    pub discarded_at: Option<DateTime<Utc>>,
}

impl DeadLetter {
    /// Where it stands.
    pub const fn state(&self) -> DeadLetterState {
        DeadLetterState::of(self.replayed_at, self.discarded_at)
    }
}

struct Row {
    id: Uuid,
    environment_id: String,
    application_id: Uuid,
    application_name: String,
    endpoint_id: Uuid,
    endpoint_url: String,
    message_id: Uuid,
    event_type: String,
    event_id: Option<String>,
    channels: Option<Vec<String>>,
    tags: Option<Vec<String>>,
    reason: String,
    last_status: Option<i16>,
    last_failure: Option<String>,
    attempts: i16,
    died_at: DateTime<Utc>,
    replayed_at: Option<DateTime<Utc>>,
    discarded_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for DeadLetter {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let reason = DeathReason::from_name(&row.reason).ok_or_else(|| {
            StoreError::Inconsistent(format!("a dead letter for the reason {}", row.reason))
        })?;
        Ok(Self {
            id: row.id.into(),
            environment_id: row.environment_id,
            application_id: row.application_id.into(),
            application_name: row.application_name,
            endpoint_id: row.endpoint_id.into(),
            endpoint_url: row.endpoint_url,
            message_id: row.message_id.into(),
            event_type: row.event_type,
            event_id: row.event_id,
            channels: row.channels.unwrap_or_default(),
            tags: row.tags.unwrap_or_default(),
            reason,
            last_status: row.last_status.map(i16::cast_unsigned),
            last_failure: row.last_failure,
            attempts: row.attempts.unsigned_abs(),
            died_at: row.died_at,
            replayed_at: row.replayed_at,
            discarded_at: row.discarded_at,
        })
    }
}

/// Dead letters, each with the name of its application and the URL of its endpoint.
macro_rules! select_dead_letters {
    ($name:literal, $condition:literal, $($arguments:tt)*) => {
        sqlx::query_as!(
            Row,
            $name + "
            SELECT l.id, l.environment_id, l.application_id, a.name AS application_name, l.endpoint_id,
                   e.url AS endpoint_url, l.message_id, l.event_type, l.event_id, l.channels, l.tags, l.reason, l.last_status, l.last_failure, l.attempts, l.died_at,
                   l.replayed_at, l.discarded_at
            FROM dead_letter l JOIN endpoint e ON e.id = l.endpoint_id JOIN application a ON a.id = l.application_id
            " + $condition,
            $($arguments)*
        )
    };
}

impl HistoryStore {
    /// Dead letters of a filter, by id; of all environments, when none is named.
    pub async fn dead_letters(
        &self,
        environment: Option<&EnvironmentId>,
        filter: &DeadLetterFilter,
        scan: &Scan<DeadLetterId>,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let span = Span::of(scan);
        select_dead_letters!(
            "-- dead_letter::list",
            r#"WHERE ($1::text IS NULL OR l.environment_id = $1)
              AND ($2::uuid IS NULL OR l.application_id = $2)
              AND ($3::uuid IS NULL OR l.endpoint_id = $3)
              AND ($4::text IS NULL OR l.event_type = $4)
              AND ($5::text IS NULL OR l.reason = $5)
              AND ($6::smallint IS NULL OR l.last_status = $6)
              AND ($7::timestamptz IS NULL OR l.died_at >= $7)
              AND ($8::timestamptz IS NULL OR l.died_at < $8)
              AND ($9::boolean IS NULL OR (l.replayed_at IS NOT NULL) = $9)
              AND ($10::boolean IS NULL OR (l.discarded_at IS NOT NULL) = $10)
              AND l.id > $11 AND l.id < $12
            ORDER BY CASE WHEN $13 THEN l.id END, CASE WHEN NOT $13 THEN l.id END DESC
            LIMIT $14"#,
            environment.map(EnvironmentId::as_str),
            filter.application_id.map(ApplicationId::uuid),
            filter.endpoint_id.map(EndpointId::uuid),
            filter.event_type.as_deref(),
            filter.reason.map(DeathReason::name),
            filter.status_code.map(u16::cast_signed),
            filter.since,
            filter.until,
            filter.state.map(|state| state == DeadLetterState::Replayed),
            filter.state.map(|state| state == DeadLetterState::Discarded),
            span.above,
            span.below,
            span.ascending,
            span.limit,
        )
        .fetch_all(&self.pool)
        .await?
        .into_iter()
        .map(TryInto::try_into)
        .collect()
    }

    /// One dead letter; with `application`, only that tenant's.
    pub async fn dead_letter(
        &self,
        environment: &EnvironmentId,
        application: Option<ApplicationId>,
        id: DeadLetterId,
    ) -> Result<Option<DeadLetter>, StoreError> {
        select_dead_letters!(
            "-- dead_letter::get",
            r#"WHERE l.id = $1 AND l.environment_id = $2 AND ($3::uuid IS NULL OR l.application_id = $3)"#,
            id.uuid(),
            environment.as_str(),
            application.map(ApplicationId::uuid),
        )
        .fetch_optional(&self.pool)
        .await?
        .map(TryInto::try_into)
        .transpose()
    }

    /// The payload that a dead letter keeps, byte for byte; `None` once it was expunged.
    pub async fn dead_letter_payload(&self, id: DeadLetterId) -> Result<Option<Vec<u8>>, StoreError> {
        let payload = sqlx::query_scalar!(
            r#"-- dead_letter::payload
            SELECT payload FROM dead_letter WHERE id = $1"#,
            id.uuid(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(payload.flatten())
    }

    /// How many dead letters a background task of that kind would move.
    pub async fn count_dead_letters(
        &self,
        environment: &EnvironmentId,
        kind: TaskKind,
        filter: &DeadLetterFilter,
    ) -> Result<i64, StoreError> {
        let mut connection = self.pool.connection().await?;
        count(&mut connection, environment, kind, filter).await
    }
}

/// As [`Store::count_dead_letters`], in the caller's transaction.
pub(super) async fn count(
    connection: &mut Connection,
    environment: &EnvironmentId,
    kind: TaskKind,
    filter: &DeadLetterFilter,
) -> Result<i64, StoreError> {
    let chosen = filter.chosen();
    Ok(filter_dead_letters!(
        query_scalar!(),
        "-- dead_letter::count",
        r#"SELECT count(*) AS "count!" FROM dead_letter l
        JOIN endpoint e ON e.id = coalesce($11, l.endpoint_id)
        JOIN application a ON a.id = l.application_id"#,
        r#"AND l.replayed_at IS NULL AND (l.discarded_at IS NOT NULL) = $9
          AND ($12::uuid[] IS NULL OR l.id = ANY($12))
          AND (NOT $10 OR (e.deleted_at IS NULL AND a.deleted_at IS NULL AND l.payload IS NOT NULL
                           AND e.application_id = l.application_id))"#,
        environment.as_str(),
        filter,
        filter.means_discarded(),
        kind == TaskKind::Replay,
        filter.to_endpoint_id.map(EndpointId::uuid),
        chosen.as_deref(),
    )
    .fetch_one(connection)
    .await?)
}
