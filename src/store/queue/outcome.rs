//! The batch writer's statements for outcomes: the attempts and what follows from them, in one statement and so in
//! one commit. Guards compare owner and lease, so a node that lost its right changes nothing.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::access::actor::Actor;
use crate::domain::delivery::attempt::{AttemptOutcome, Failure, Trigger};
use crate::domain::delivery::dead_letter::DeathReason;
use crate::domain::delivery::operational::{FAILING_ATTEMPTS, MAX_NAMED, NoticeKind};
use crate::domain::delivery::{DeliveryState, NextStep};
use crate::domain::id::{ApplicationId, DeadLetterId, EndpointId, MessageId};
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};
use crate::store::database::connection::Connection;
use crate::store::operational::tell::tell;

use super::QueueStore;

/// An attempt that was made and what is to follow from it.
#[derive(Debug)]
pub struct OutcomeRow<'a> {
    /// Of which message.
    pub message_id: MessageId,
    /// To which endpoint.
    pub endpoint_id: EndpointId,
    /// Of which application.
    pub application_id: ApplicationId,
    /// Where the request went.
    pub url: &'a str,
    /// The lease of a claimed row; `None` for one that was born leased.
    pub lease: Option<DateTime<Utc>>,
    /// Counting this attempt.
    pub attempts_made: u16,
    /// Why it was made.
    pub trigger: Trigger,
    /// How it ended.
    pub outcome: &'a AttemptOutcome,
    /// What follows.
    pub next: NextStep,
}

/// The columns that every attempt has.
#[derive(Default)]
struct AttemptColumns<'a> {
    ids: Vec<Uuid>,
    messages: Vec<Uuid>,
    endpoints: Vec<Uuid>,
    numbers: Vec<i16>,
    triggers: Vec<i16>,
    failures: Vec<Option<&'static str>>,
    statuses: Vec<Option<i16>>,
    headers: Vec<Json<&'a [(String, String)]>>,
    bodies: Vec<&'a [u8]>,
    durations: Vec<i32>,
    urls: Vec<&'a str>,
}

impl<'a> AttemptColumns<'a> {
    fn of(rows: &[OutcomeRow<'a>]) -> Self {
        let mut columns = Self::default();
        for row in rows {
            let outcome = row.outcome;
            columns.ids.push(outcome.id.uuid());
            columns.messages.push(row.message_id.uuid());
            columns.endpoints.push(row.endpoint_id.uuid());
            columns.numbers.push(i16::try_from(row.attempts_made).unwrap_or(i16::MAX));
            columns.triggers.push(row.trigger.code());
            columns.failures.push(outcome.failure.map(Failure::name));
            columns.statuses.push(outcome.http_status.and_then(|status| i16::try_from(status).ok()));
            columns.headers.push(Json(outcome.response_headers.as_slice()));
            columns.bodies.push(&outcome.response_body);
            columns.durations.push(i32::try_from(outcome.duration.as_millis()).unwrap_or(i32::MAX));
            columns.urls.push(row.url);
        }
        columns
    }
}

/// The columns of what follows.
#[derive(Default)]
struct NextColumns {
    applications: Vec<Uuid>,
    leases: Vec<Option<DateTime<Utc>>>,
    states: Vec<i16>,
    waits_ms: Vec<i64>,
    reasons: Vec<Option<&'static str>>,
    dead_letters: Vec<Option<Uuid>>,
}

impl NextColumns {
    fn of(rows: &[OutcomeRow<'_>]) -> Self {
        let mut columns = Self::default();
        for row in rows {
            let (state, wait_ms, reason) = match row.next {
                NextStep::Settle => (DeliveryState::Delivered, 0, None),
                NextStep::RetryAfter(wait) => {
                    (DeliveryState::Waiting, i64::try_from(wait.as_millis()).unwrap_or(i64::MAX), None)
                }
                NextStep::Bury(reason) => (DeliveryState::Dead, 0, Some(reason)),
            };
            columns.applications.push(row.application_id.uuid());
            columns.leases.push(row.lease);
            columns.states.push(state.code());
            columns.waits_ms.push(wait_ms);
            columns.reasons.push(reason.map(DeathReason::name));
            columns.dead_letters.push(reason.map(|_| DeadLetterId::generate().uuid()));
        }
        columns
    }
}

impl QueueStore {
    /// Records deliveries that went well at their first attempt, while still in the memory of the node that they
    /// were born to: the happy path, one update in place and one insert each. Returns how many moved.
    pub async fn settle_born(&self, epoch: i64, rows: &[OutcomeRow<'_>]) -> Result<usize, StoreError> {
        let a = AttemptColumns::of(rows);
        let applications: Vec<Uuid> = rows.iter().map(|row| row.application_id.uuid()).collect();
        let moved = sqlx::query_scalar!(
            r#"-- outcome::settle_born
            WITH c AS MATERIALIZED (
                SELECT * FROM unnest(
                    $2::uuid[], $3::uuid[], $4::uuid[], $5::smallint[], $6::smallint[], $7::smallint[], $8::jsonb[],
                    $9::bytea[], $10::integer[], $11::text[], $12::uuid[]
                ) AS c(id, message_id, endpoint_id, number, trigger, http_status, headers, body, duration_ms, url,
                       application_id)
            ), moved AS (
                UPDATE delivery d
                SET state = 4, owner = NULL, attempts = c.number, last_status = c.http_status, settled_at = now()
                FROM c
                WHERE d.message_id = c.message_id AND d.endpoint_id = c.endpoint_id
                  AND (d.owner = $1 AND d.state = 1) IS TRUE
                RETURNING c.*
            ), attempted AS (
                INSERT INTO attempt (id, message_id, endpoint_id, number, trigger, delivered, http_status,
                                     response_headers, response_body, duration_ms, url)
                SELECT id, message_id, endpoint_id, number, trigger, true, http_status, headers, body, duration_ms, url
                FROM moved
            ), counted AS (
                INSERT INTO endpoint_hour AS r (endpoint_id, hour, node, application_id, delivered, dead, status_2xx,
                    status_3xx, status_4xx, status_5xx, no_response, duration_ms, last_delivered_at)
                SELECT endpoint_id, date_trunc('hour', now(), 'UTC'), $1, application_id, count(*), 0, count(*),
                       0, 0, 0, 0, sum(duration_ms), now()
                FROM moved GROUP BY endpoint_id, application_id
                ON CONFLICT (endpoint_id, hour, node) DO UPDATE SET
                    delivered = r.delivered + excluded.delivered, status_2xx = r.status_2xx + excluded.status_2xx,
                    duration_ms = r.duration_ms + excluded.duration_ms, last_delivered_at = excluded.last_delivered_at
            )
            SELECT count(*) AS "moved!" FROM moved"#,
            epoch,
            &a.ids,
            &a.messages,
            &a.endpoints,
            &a.numbers,
            &a.triggers,
            &a.statuses as &[Option<i16>],
            &a.headers as &[Json<&[(String, String)]>],
            &a.bodies as &[&[u8]],
            &a.durations,
            &a.urls as &[&str],
            &applications,
        )
        .fetch_one(&self.record)
        .await?;
        Ok(usize::try_from(moved).unwrap_or(0))
    }

    /// Records any outcomes: attempts, settled deliveries, retries, dead letters, and the closing of endpoints
    /// that answered 410. Returns how many moved; the others were no longer this node's.
    pub async fn record_outcomes(&self, epoch: i64, rows: &[OutcomeRow<'_>]) -> Result<usize, StoreError> {
        let a = AttemptColumns::of(rows);
        let n = NextColumns::of(rows);
        let mut tx = self.record.begin().await?;
        let moved = sqlx::query_scalar!(
            r#"-- outcome::record
            WITH c AS MATERIALIZED (
                SELECT * FROM unnest(
                    $2::uuid[], $3::uuid[], $4::uuid[], $5::smallint[], $6::smallint[], $7::text[], $8::smallint[],
                    $9::jsonb[], $10::bytea[], $11::integer[], $12::text[],
                    $13::uuid[], $14::timestamptz[], $15::smallint[], $16::bigint[], $17::text[], $18::uuid[]
                ) AS c(id, message_id, endpoint_id, number, trigger, failure, http_status, headers, body, duration_ms,
                       url, application_id, lease, state, wait_ms, reason, dead_letter_id)
            ), leased AS MATERIALIZED (
                SELECT c.* FROM c
                JOIN pending p ON p.message_id = c.message_id AND p.endpoint_id = c.endpoint_id
                WHERE (p.owner = $1 AND p.due_at = c.lease) IS TRUE
                FOR UPDATE OF p
            ), ours AS MATERIALIZED (
                SELECT * FROM leased UNION ALL SELECT * FROM c WHERE c.lease IS NULL
            ), moved AS (
                UPDATE delivery d
                SET state = o.state, owner = NULL, attempts = o.number, last_status = o.http_status,
                    settled_at = CASE WHEN o.state >= 4 THEN now() END
                FROM ours o
                WHERE d.message_id = o.message_id AND d.endpoint_id = o.endpoint_id
                  AND (CASE WHEN o.lease IS NULL THEN d.owner = $1 AND d.state = 1
                            ELSE d.state IN (2, 3) END) IS TRUE
                RETURNING o.*
            ), attempted AS (
                INSERT INTO attempt (id, message_id, endpoint_id, number, trigger, delivered, failure, http_status,
                                     response_headers, response_body, duration_ms, url)
                SELECT id, message_id, endpoint_id, number, trigger, failure IS NULL, failure, http_status, headers,
                       body, duration_ms, url
                FROM moved
            ), requeued AS (
                INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
                SELECT message_id, endpoint_id, application_id, now() + wait_ms * interval '1 ms', number
                FROM moved WHERE state = 2
                ON CONFLICT (message_id, endpoint_id)
                DO UPDATE SET due_at = excluded.due_at, attempts = excluded.attempts, trigger = 0, owner = NULL
            ), finished AS (
                DELETE FROM pending p USING moved m
                WHERE p.message_id = m.message_id AND p.endpoint_id = m.endpoint_id
                  AND (m.state >= 4 AND m.lease IS NOT NULL) IS TRUE
            ), buried AS (
                INSERT INTO dead_letter (id, environment_id, application_id, endpoint_id, message_id, event_type,
                                         event_id, channels, tags, payload, reason, last_status, last_failure, attempts)
                SELECT v.dead_letter_id, a.environment_id, v.application_id, v.endpoint_id, v.message_id, m.event_type,
                       m.event_id, m.channels, m.tags, m.payload, v.reason, v.http_status, v.failure, v.number
                FROM moved v
                JOIN application a ON a.id = v.application_id
                JOIN message m ON m.id = v.message_id
                WHERE v.state = 5
                ON CONFLICT (message_id, endpoint_id)
                DO UPDATE SET reason = excluded.reason, last_status = excluded.last_status,
                              last_failure = excluded.last_failure, attempts = excluded.attempts, died_at = now(),
                              replayed_at = NULL, discarded_at = NULL
                RETURNING id, application_id, endpoint_id
            ), notable AS (
                SELECT CASE state WHEN 2 THEN 'message.attempt.failing' WHEN 4 THEN 'message.attempt.recovered'
                                  ELSE 'message.attempt.exhausted' END AS kind,
                       application_id, endpoint_id, message_id AS subject, message_id, id AS attempt_id, http_status
                FROM moved
                WHERE (state = 2 AND number = $19) OR (state = 4 AND number > $19) OR (state = 5 AND reason = 'exhausted')
                UNION ALL
                SELECT 'dead_letter.created', application_id, endpoint_id, id, NULL, NULL, NULL FROM buried
            ), told AS (
                INSERT INTO operational_notice (environment_id, application_id, endpoint_id, kind, number, subjects,
                                                details)
                SELECT l.environment_id, t.application_id, t.endpoint_id, t.kind, count(*),
                       (array_agg(t.subject ORDER BY t.subject))[1:$20],
                       jsonb_strip_nulls(jsonb_build_object(
                           'message', (array_agg(t.message_id ORDER BY t.attempt_id DESC))[1],
                           'attempt', (array_agg(t.attempt_id ORDER BY t.attempt_id DESC))[1],
                           'status', (array_agg(t.http_status ORDER BY t.attempt_id DESC))[1]))
                FROM notable t CROSS JOIN LATERAL (
                    SELECT a.environment_id FROM application a JOIN environment n ON n.id = a.environment_id
                    WHERE a.id = t.application_id
                      AND (n.operational_application_id IS NOT NULL AND a.purpose IS NULL) IS TRUE
                    OFFSET 0
                ) l
                GROUP BY l.environment_id, t.application_id, t.endpoint_id, t.kind
            ), counted AS (
                INSERT INTO endpoint_hour AS r (endpoint_id, hour, node, application_id, delivered, dead, status_2xx,
                    status_3xx, status_4xx, status_5xx, no_response, duration_ms, last_delivered_at, first_failed_at,
                    last_failed_at)
                SELECT endpoint_id, date_trunc('hour', now(), 'UTC'), $1, application_id,
                       count(*) FILTER (WHERE state = 4), count(*) FILTER (WHERE state = 5),
                       count(*) FILTER (WHERE http_status / 100 = 2), count(*) FILTER (WHERE http_status / 100 = 3),
                       count(*) FILTER (WHERE http_status / 100 = 4), count(*) FILTER (WHERE http_status / 100 = 5),
                       count(*) FILTER (WHERE (http_status / 100 BETWEEN 2 AND 5) IS NOT TRUE),
                       sum(duration_ms), CASE WHEN bool_or(failure IS NULL) THEN now() END,
                       CASE WHEN bool_or(failure IS NOT NULL) THEN now() END,
                       CASE WHEN bool_or(failure IS NOT NULL) THEN now() END
                FROM moved GROUP BY endpoint_id, application_id
                ON CONFLICT (endpoint_id, hour, node) DO UPDATE SET
                    delivered = r.delivered + excluded.delivered, dead = r.dead + excluded.dead,
                    status_2xx = r.status_2xx + excluded.status_2xx, status_3xx = r.status_3xx + excluded.status_3xx,
                    status_4xx = r.status_4xx + excluded.status_4xx, status_5xx = r.status_5xx + excluded.status_5xx,
                    no_response = r.no_response + excluded.no_response,
                    duration_ms = r.duration_ms + excluded.duration_ms,
                    last_delivered_at = coalesce(excluded.last_delivered_at, r.last_delivered_at),
                    first_failed_at = coalesce(r.first_failed_at, excluded.first_failed_at),
                    last_failed_at = coalesce(excluded.last_failed_at, r.last_failed_at)
            )
            SELECT count(*) AS "moved!" FROM moved"#,
            epoch,
            &a.ids,
            &a.messages,
            &a.endpoints,
            &a.numbers,
            &a.triggers,
            &a.failures as &[Option<&str>],
            &a.statuses as &[Option<i16>],
            &a.headers as &[Json<&[(String, String)]>],
            &a.bodies as &[&[u8]],
            &a.durations,
            &a.urls as &[&str],
            &n.applications,
            &n.leases as &[Option<DateTime<Utc>>],
            &n.states,
            &n.waits_ms,
            &n.reasons as &[Option<&str>],
            &n.dead_letters as &[Option<Uuid>],
            FAILING_ATTEMPTS,
            i32::try_from(MAX_NAMED).unwrap_or(i32::MAX),
        )
        .fetch_one(&mut *tx)
        .await?;
        let gone: Vec<Uuid> = rows
            .iter()
            .filter(|row| row.next == NextStep::Bury(DeathReason::Gone))
            .map(|row| row.endpoint_id.uuid())
            .collect();
        if !gone.is_empty() {
            disable_gone(&mut tx, &gone).await?;
        }
        tx.commit().await?;
        Ok(usize::try_from(moved).unwrap_or(0))
    }
}

/// Disables endpoints that answered 410, and tells every node.
async fn disable_gone(tx: &mut Connection, endpoints: &[Uuid]) -> Result<(), StoreError> {
    // Applications before their endpoints, as every change of configuration locks them.
    sqlx::query!(
        r#"-- application::lock_of_endpoints
        SELECT a.id FROM application a
        WHERE a.id IN (SELECT e.application_id FROM endpoint e WHERE e.id = ANY($1))
        ORDER BY a.id FOR UPDATE"#,
        endpoints,
    )
    .fetch_all(&mut *tx)
    .await?;
    let closed = sqlx::query!(
        r#"-- endpoint::disable_gone
        WITH closed AS (
            UPDATE endpoint SET disabled_at = now(), disabled_reason = 'gone', updated_at = now()
            WHERE id = ANY($1) AND disabled_at IS NULL AND deleted_at IS NULL
            RETURNING id, application_id
        ), bumped AS (
            UPDATE application SET config_version = config_version + 1
            WHERE id IN (SELECT application_id FROM closed)
            RETURNING id
        )
        SELECT closed.id, closed.application_id, pg_notify('postrider_config', bumped.id::text) AS told
        FROM closed JOIN bumped ON bumped.id = closed.application_id"#,
        endpoints,
    )
    .fetch_all(&mut *tx)
    .await?;
    let dispatcher = Actor::system("dispatcher");
    for endpoint in closed {
        let id = EndpointId::from(endpoint.id);
        let entry = Entry::in_application(endpoint.application_id.into(), "endpoint.disabled", id);
        note(tx, &dispatcher, entry.details(json!({ "reason": "gone" }))).await?;
        let application = endpoint.application_id.into();
        tell(tx, application, id, NoticeKind::EndpointDisabled, json!({ "reason": "gone" })).await?;
    }
    Ok(())
}
