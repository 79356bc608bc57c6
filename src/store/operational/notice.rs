//! Notices that operational webhooks are made from. A notice is written in the transaction of what it tells of, so a
//! crash loses none; where nobody in the environment listens, none is written. Notices of what can happen in masses
//! (failures, dead letters) are open at first, a part each; [`Store::seal_notices`] makes one of those of an endpoint
//! when their window is over. The hidden application that carries the webhooks is never told about itself.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::domain::delivery::operational::{MAX_NAMED, NoticeKind};
use crate::domain::id::{ApplicationId, AttemptId, DeadLetterId, EndpointId, MessageId};
use crate::store::StoreError;
use crate::store::database::interval::interval;

use super::OperationalStore;

/// A notice, ready to be posted.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Its id, which makes it one message however often it is posted.
    pub id: Uuid,
    /// The hidden application to post it to; `None` when nobody listens any more.
    pub target: Option<ApplicationId>,
    /// What happened.
    pub kind: NoticeKind,
    /// When, or when the first of it did.
    pub noted_at: DateTime<Utc>,
    /// To which application.
    pub application_id: ApplicationId,
    /// Its caller's id.
    pub application_uid: Option<String>,
    /// To which endpoint.
    pub endpoint_id: EndpointId,
    /// Its caller's id.
    pub endpoint_uid: Option<String>,
    /// How often.
    pub number: u64,
    /// The first of what it happened to.
    pub subjects: Subjects,
    /// The latest attempt, where it is about attempts.
    pub last: Option<LastAttempt>,
    /// What is to be said besides.
    pub details: Value,
}

/// What a notice is about, besides its endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subjects {
    /// Nothing.
    None,
    /// These messages.
    Messages(Vec<MessageId>),
    /// These dead letters.
    DeadLetters(Vec<DeadLetterId>),
}

/// The latest of the attempts that a notice stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAttempt {
    /// Its id.
    pub id: AttemptId,
    /// Of which message.
    pub message_id: MessageId,
    /// The producer's id of it.
    pub event_id: Option<String>,
    /// What was answered.
    pub http_status: Option<i16>,
}

impl OperationalStore {
    /// Makes one notice of all open ones of an endpoint and kind, where the first of them is older than the window.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn seal_notices(&self, window: Duration) -> Result<u64, StoreError> {
        let sealed = sqlx::query!(
            r#"-- operational_notice::seal
            WITH turn AS MATERIALIZED (
                -- One node at a time seals, so that a window becomes one notice.
                SELECT pg_try_advisory_xact_lock(
                    hashtextextended('postrider operational ' || current_schema(), 0)) AS ours
            ), due AS MATERIALIZED (
                SELECT o.endpoint_id, o.kind FROM operational_notice o
                WHERE NOT o.sealed AND (SELECT ours FROM turn)
                GROUP BY o.endpoint_id, o.kind HAVING min(o.noted_at) <= clock_timestamp() - $1::interval
            ), parts AS (
                DELETE FROM operational_notice o USING due d
                WHERE NOT o.sealed AND o.endpoint_id = d.endpoint_id AND o.kind = d.kind
                RETURNING o.*
            ), named AS (
                SELECT p.endpoint_id, p.kind, (array_agg(s.subject ORDER BY p.noted_at, p.id, s.place))[1:$2] AS subjects
                FROM parts p CROSS JOIN LATERAL unnest(p.subjects) WITH ORDINALITY AS s(subject, place)
                GROUP BY p.endpoint_id, p.kind
            ), summed AS (
                SELECT p.environment_id, p.application_id, p.endpoint_id, p.kind, min(p.noted_at) AS noted_at,
                       sum(p.number)::bigint AS number, (array_agg(p.details ORDER BY p.noted_at DESC))[1] AS details
                FROM parts p GROUP BY p.environment_id, p.application_id, p.endpoint_id, p.kind
            )
            INSERT INTO operational_notice (environment_id, application_id, endpoint_id, kind, noted_at, number, subjects,
                                            details, sealed)
            SELECT s.environment_id, s.application_id, s.endpoint_id, s.kind, s.noted_at, s.number,
                   coalesce(n.subjects, '{}'), s.details, true
            FROM summed s LEFT JOIN named n ON n.endpoint_id = s.endpoint_id AND n.kind = s.kind"#,
            interval(window),
            i32::try_from(MAX_NAMED).unwrap_or(i32::MAX),
        )
        .execute(&self.pool)
        .await?;
        Ok(sealed.rows_affected())
    }

    /// Takes sealed notices, the oldest first, for as long as the lease lasts. Nobody else takes them meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn take_notices(&self, lease: Duration, limit: i64) -> Result<Vec<Notice>, StoreError> {
        let rows = sqlx::query!(
            r#"-- operational_notice::take
            WITH picked AS MATERIALIZED (
                SELECT id FROM operational_notice
                WHERE sealed AND (taken_until IS NULL OR taken_until <= now()
                                  -- Taken by a clock that was ahead.
                                  OR taken_until > now() + $1::interval + interval '1 minute')
                ORDER BY noted_at LIMIT $2 FOR UPDATE SKIP LOCKED
            ), taken AS (
                UPDATE operational_notice o SET taken_until = now() + $1::interval FROM picked p WHERE o.id = p.id
                RETURNING o.*, (o.details->>'message')::uuid AS message_id, (o.details->>'attempt')::uuid AS attempt_id
            )
            SELECT t.id AS "id!", t.kind AS "kind!", t.noted_at AS "noted_at!", t.application_id AS "application_id!",
                   t.endpoint_id AS "endpoint_id!", t.number AS "number!", t.subjects AS "subjects!",
                   t.details AS "details!", t.message_id, t.attempt_id, (t.details->>'status')::smallint AS http_status,
                   n.operational_application_id AS "target?", a.uid AS "application_uid?", e.uid AS "endpoint_uid?",
                   m.event_id AS "event_id?"
            FROM taken t
            LEFT JOIN environment n ON n.id = t.environment_id
            LEFT JOIN application a ON a.id = t.application_id
            LEFT JOIN endpoint e ON e.id = t.endpoint_id
            LEFT JOIN message m ON m.id = t.message_id
            ORDER BY t.noted_at"#,
            interval(lease),
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                let kind = NoticeKind::from_name(&row.kind)
                    .ok_or_else(|| StoreError::Inconsistent(format!("a notice of kind {}", row.kind)))?;
                let last = row.attempt_id.zip(row.message_id).map(|(attempt, message)| LastAttempt {
                    id: attempt.into(),
                    message_id: message.into(),
                    event_id: row.event_id,
                    http_status: row.http_status,
                });
                Ok(Notice {
                    id: row.id,
                    target: row.target.map(Into::into),
                    kind,
                    noted_at: row.noted_at,
                    application_id: row.application_id.into(),
                    application_uid: row.application_uid,
                    endpoint_id: row.endpoint_id.into(),
                    endpoint_uid: row.endpoint_uid,
                    number: row.number.unsigned_abs(),
                    subjects: subjects(kind, row.subjects),
                    last,
                    details: row.details,
                })
            })
            .collect()
    }

    /// Forgets notices: they are messages now, or nobody listens.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; they are taken, and posted, again then.
    pub async fn forget_notices(&self, ids: &[Uuid]) -> Result<(), StoreError> {
        sqlx::query!("-- operational_notice::forget\nDELETE FROM operational_notice WHERE id = ANY($1)", ids)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

fn subjects(kind: NoticeKind, ids: Vec<Uuid>) -> Subjects {
    match kind {
        NoticeKind::DeadLetterCreated => Subjects::DeadLetters(ids.into_iter().map(Into::into).collect()),
        NoticeKind::AttemptFailing | NoticeKind::AttemptExhausted | NoticeKind::AttemptRecovered => {
            Subjects::Messages(ids.into_iter().map(Into::into).collect())
        }
        NoticeKind::EndpointCreated
        | NoticeKind::EndpointUpdated
        | NoticeKind::EndpointDeleted
        | NoticeKind::EndpointDisabled => Subjects::None,
    }
}
