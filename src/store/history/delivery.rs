//! The deliveries of a message: where each stands, and what is known of why. Read by the keys of the message; how many are
//! before one is counted up to a bound, in the order of an index.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::delivery::DeliveryState;
use crate::domain::delivery::dead_letter::DeathReason;
use crate::domain::id::{ApplicationId, DeadLetterId, EndpointId, MessageId};
use crate::domain::page::Scan;
use crate::domain::policy::DeliveryPolicy;
use crate::store::database::span::earliest_after;
use crate::store::database::stored_policy::stored_policy;
use crate::store::{Capped, Span, StoreError};

use super::HistoryStore;

/// How many are before a delivery is counted so far.
const COUNTED: i64 = 1_000;

/// A delivery, with what it depends on.
#[derive(Debug, Clone)]
pub struct DeliveryRecord {
    /// Where it goes.
    pub endpoint: DeliveryEndpoint,
    /// Its state.
    pub state: DeliveryState,
    /// Attempts made in this round.
    pub attempts: u16,
    /// The status of the last answer.
    pub last_status: Option<u16>,
    /// What went wrong at the last attempt.
    pub last_failure: Option<String>,
    /// When it ended.
    pub settled_at: Option<DateTime<Utc>>,
    /// Its row in the queue.
    pub queued: Option<QueuedDelivery>,
    /// Its dead letter, whatever became of it.
    pub dead_letter: Option<DeadDelivery>,
    /// The time by the database's clock.
    pub now: DateTime<Utc>,
}

/// The endpoint of a delivery, with everything that may keep deliveries back.
#[derive(Debug, Clone)]
pub struct DeliveryEndpoint {
    /// Its id.
    pub id: EndpointId,
    /// Its application.
    pub application_id: ApplicationId,
    /// Where it is now.
    pub url: String,
    /// What it is for.
    pub description: String,
    /// When it was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
    /// When it was disabled, and why: `request`, `gone` or `failing`.
    pub disabled: Option<(DateTime<Utc>, String)>,
    /// When it was paused.
    pub paused_at: Option<DateTime<Utc>>,
    /// When its application was paused.
    pub application_paused_at: Option<DateTime<Utc>>,
    /// When all dispatching was paused.
    pub all_paused_at: Option<DateTime<Utc>>,
    /// What the endpoint, its application and its environment set.
    pub policies: [DeliveryPolicy; 3],
}

/// A delivery's row in the queue.
#[derive(Debug, Clone, Copy)]
pub struct QueuedDelivery {
    /// When it is due, or when the lease of the node that has it ends.
    pub due_at: DateTime<Utc>,
    /// A node has it.
    pub is_claimed: bool,
    /// Of its attempts, those that were refused as too fast.
    pub refusals: u16,
}

/// A delivery's dead letter.
#[derive(Debug, Clone)]
pub struct DeadDelivery {
    /// Its id.
    pub id: DeadLetterId,
    /// Why it died.
    pub reason: DeathReason,
    /// When it died.
    pub died_at: DateTime<Utc>,
    /// When it was discarded.
    pub discarded_at: Option<DateTime<Utc>>,
}

/// The number as it is shown.
fn counted(count: i64) -> Capped {
    Capped::of(count, COUNTED)
}

impl HistoryStore {
    /// The deliveries of a message, by endpoint, those to deleted endpoints included. That the message is the caller's has
    /// been looked up.
    pub async fn deliveries_of_message(
        &self,
        message: MessageId,
        scan: &Scan<EndpointId>,
    ) -> Result<Vec<DeliveryRecord>, StoreError> {
        let span = Span::of(scan);
        let rows = sqlx::query!(
            r#"-- delivery::of_message
            SELECT d.endpoint_id, d.state::text AS "state!", d.attempts, d.last_status, d.settled_at, e.application_id, e.url,
                   e.description, e.deleted_at, e.disabled_at, e.disabled_reason, e.paused_at, e.policy,
                   a.paused_at AS application_paused_at, a.policy AS application_policy, n.policy AS environment_policy,
                   g.paused_at AS all_paused_at, p.due_at AS "due_at?",
                   (p.owner IS NOT NULL AND p.due_at > now()) AS "is_claimed?", p.refusals AS "refusals?", l.id AS "letter_id?", l.reason AS "reason?",
                   l.died_at AS "died_at?", l.discarded_at AS "discarded_at?", now() AS "now!"
            FROM delivery d
            JOIN endpoint e ON e.id = d.endpoint_id
            JOIN application a ON a.id = e.application_id
            JOIN environment n ON n.id = a.environment_id
            CROSS JOIN dispatching g
            LEFT JOIN pending p ON p.message_id = d.message_id AND p.endpoint_id = d.endpoint_id
            LEFT JOIN dead_letter l ON l.message_id = d.message_id AND l.endpoint_id = d.endpoint_id
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
        let endpoints: Vec<Uuid> = rows.iter().map(|row| row.endpoint_id).collect();
        let mut failures = self.last_failures(message, &endpoints).await?;
        let records = rows.into_iter().map(|row| {
            let of = EndpointId::from(row.endpoint_id);
            let state = DeliveryState::from_name(&row.state)
                .ok_or_else(|| StoreError::Inconsistent(format!("a delivery in state {}", row.state)))?;
            let queued = row.due_at.zip(row.is_claimed).map(|(due_at, is_claimed)| QueuedDelivery {
                due_at,
                is_claimed,
                refusals: row.refusals.unwrap_or_default().unsigned_abs(),
            });
            let letter = row.letter_id.zip(row.reason).zip(row.died_at).map(|((id, reason), died_at)| {
                let reason = DeathReason::from_name(&reason).ok_or_else(|| {
                    StoreError::Inconsistent(format!("a dead letter for the reason {reason}"))
                })?;
                Ok::<_, StoreError>(DeadDelivery {
                    id: id.into(),
                    reason,
                    died_at,
                    discarded_at: row.discarded_at,
                })
            });
            Ok(DeliveryRecord {
                endpoint: DeliveryEndpoint {
                    id: of,
                    application_id: row.application_id.into(),
                    url: row.url,
                    description: row.description,
                    deleted_at: row.deleted_at,
                    disabled: row.disabled_at.zip(row.disabled_reason),
                    paused_at: row.paused_at,
                    application_paused_at: row.application_paused_at,
                    all_paused_at: row.all_paused_at,
                    policies: [
                        stored_policy(row.policy, of)?,
                        stored_policy(row.application_policy, ApplicationId::from(row.application_id))?,
                        stored_policy(row.environment_policy, "an environment")?,
                    ],
                },
                state,
                attempts: row.attempts.unsigned_abs(),
                last_status: row.last_status.map(i16::cast_unsigned),
                last_failure: failures.remove(&row.endpoint_id).flatten(),
                settled_at: row.settled_at,
                queued,
                dead_letter: letter.transpose()?,
                now: row.now,
            })
        });
        records.collect()
    }

    /// What went wrong at the last attempt at each of these endpoints; nothing, when it delivered.
    async fn last_failures(
        &self,
        message: MessageId,
        endpoints: &[Uuid],
    ) -> Result<HashMap<Uuid, Option<String>>, StoreError> {
        let rows = sqlx::query!(
            r#"-- attempt::last_of_message
            SELECT DISTINCT ON (t.endpoint_id) t.endpoint_id, t.failure FROM attempt t
            WHERE t.message_id = $1 AND t.id > $2 AND t.endpoint_id = ANY($3)
            ORDER BY t.endpoint_id, t.id DESC"#,
            message.uuid(),
            earliest_after(message.created_at()),
            endpoints,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (row.endpoint_id, row.failure)).collect())
    }

    /// How many of each endpoint are due before its delivery of that message, which is due at that time; a thousand at most.
    pub async fn queued_before(
        &self,
        message: MessageId,
        due: &[(EndpointId, DateTime<Utc>)],
    ) -> Result<HashMap<EndpointId, Capped>, StoreError> {
        if due.is_empty() {
            return Ok(HashMap::new());
        }
        let (endpoints, due_at): (Vec<Uuid>, Vec<DateTime<Utc>>) =
            due.iter().map(|(endpoint, due_at)| (endpoint.uuid(), *due_at)).unzip();
        let rows = sqlx::query!(
            r#"-- pending::count_before
            SELECT c.endpoint_id AS "endpoint_id!", q.count AS "count!"
            FROM unnest($1::uuid[], $2::timestamptz[]) AS c(endpoint_id, due_at)
            CROSS JOIN LATERAL (
                SELECT count(*) AS count FROM (
                    SELECT FROM pending p
                    WHERE p.endpoint_id = c.endpoint_id AND p.due_at > '-infinity'
                      AND (p.due_at, p.message_id) < (c.due_at, $3::uuid)
                    ORDER BY p.due_at, p.message_id LIMIT $4
                ) counted
            ) q"#,
            &endpoints,
            &due_at,
            message.uuid(),
            COUNTED + 1,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (row.endpoint_id.into(), counted(row.count))).collect())
    }

    /// How many deliveries to each endpoint are with a node, of the thousand messages before that one.
    pub async fn in_flight_before(
        &self,
        message: MessageId,
        endpoints: &[EndpointId],
    ) -> Result<HashMap<EndpointId, Capped>, StoreError> {
        if endpoints.is_empty() {
            return Ok(HashMap::new());
        }
        let endpoints: Vec<Uuid> = endpoints.iter().map(|endpoint| endpoint.uuid()).collect();
        let rows = sqlx::query!(
            r#"-- delivery::count_in_flight_before
            SELECT c.endpoint_id AS "endpoint_id!", q.count AS "count!"
            FROM unnest($1::uuid[]) AS c(endpoint_id)
            CROSS JOIN LATERAL (
                SELECT count(*) FILTER (WHERE before.state = 'in_flight') AS count FROM (
                    SELECT d.state FROM delivery d WHERE d.endpoint_id = c.endpoint_id AND d.message_id < $2
                    ORDER BY d.message_id DESC LIMIT $3
                ) before
            ) q"#,
            &endpoints,
            message.uuid(),
            COUNTED,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (row.endpoint_id.into(), counted(row.count))).collect())
    }
}
