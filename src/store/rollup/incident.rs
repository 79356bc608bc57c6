//! What is wrong in an environment, as far as rows say it; `domain/rollup/incident.rs` has the rule. And who knows of it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::access::actor::{Actor, ActorKind};
use crate::domain::id::{ApiKeyId, EnvironmentId};
use crate::domain::rollup::incident::FAILURES_IN_ROW;
use crate::store::access::audit::{Entry, note};
use crate::store::{Capped, StoreError};

use super::sample::COUNTED_PER_ENDPOINT;
use super::write::MINUTE;
use super::{NamedEndpoint, RollupStore};

/// So many of a kind are looked at, those with most waiting first.
const LOOKED_AT: i64 = 200;
/// Dead letters of one endpoint are counted so far.
const DIED_COUNTED: i64 = 1_000;
/// What the audit log calls everything at once.
pub(super) const EVERYTHING: &str = "all";

/// An endpoint that something is wrong with.
#[derive(Debug, Clone)]
pub struct TroubledEndpoint {
    /// Which.
    pub named: NamedEndpoint,
    /// Since when.
    pub since: DateTime<Utc>,
    /// `gone` or `failing`, when it is disabled.
    pub disabled_reason: Option<String>,
    /// What waits for it, or is held.
    pub queued: Capped,
    /// Whether that is held.
    pub is_closed: bool,
    /// Since when it counts as held, and becomes dead letters in the end.
    pub held_since: Option<DateTime<Utc>>,
    /// When the first of it is due, or was.
    pub first_due_at: Option<DateTime<Utc>>,
    /// Dead letters of the last hour, a thousand at most.
    pub died_last_hour: i64,
    /// The status of its last failure.
    pub last_status: Option<i16>,
    /// What went wrong the last time.
    pub last_failure: Option<String>,
    /// The beginning of the last answer that was a failure, or why there was none.
    pub last_error: Option<String>,
}

/// Who knows of an incident, and since when.
#[derive(Debug, Clone)]
pub struct Acknowledgement {
    /// Since when.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: String,
}

/// When everything was paused, and by whom.
#[derive(Debug, Clone)]
pub struct DispatchingPause {
    /// Since when.
    pub since: DateTime<Utc>,
    /// Who, as far as the audit log knows.
    pub by: Option<String>,
}

struct Row {
    endpoint_id: Uuid,
    application_id: Uuid,
    name: String,
    url: String,
    since: DateTime<Utc>,
    disabled_reason: Option<String>,
    queued: i32,
    is_closed: bool,
    held_since: Option<DateTime<Utc>>,
    first_due_at: Option<DateTime<Utc>>,
    died: i64,
    last_status: Option<i16>,
    last_failure: Option<String>,
    last_error: Option<String>,
}

impl From<Row> for TroubledEndpoint {
    fn from(row: Row) -> Self {
        Self {
            named: NamedEndpoint {
                application_id: row.application_id.into(),
                application_name: row.name,
                endpoint_id: row.endpoint_id.into(),
                url: row.url,
            },
            since: row.since,
            disabled_reason: row.disabled_reason,
            queued: Capped::up_to(row.queued.into(), COUNTED_PER_ENDPOINT),
            is_closed: row.is_closed,
            held_since: row.held_since,
            first_due_at: row.first_due_at,
            died_last_hour: row.died,
            last_status: row.last_status,
            last_failure: row.last_failure,
            last_error: row.last_error,
        }
    }
}

/// Endpoints that `$troubled` finds, each with its dead letters of the last hour, counted up to `$3`.
macro_rules! select_troubled {
    ($name:literal, $troubled:literal, $($arguments:tt)*) => {
        sqlx::query_as!(
            Row,
            $name + "
            WITH troubled AS MATERIALIZED (" + $troubled + r#")
            SELECT t.endpoint_id, t.application_id, t.name, t.url, t.since AS "since!", t.disabled_reason AS "disabled_reason?",
                   t.queued AS "queued!", t.is_closed AS "is_closed!", t.held_since, t.first_due_at AS "first_due_at?",
                   died.count AS "died!", t.last_status AS "last_status?", t.last_failure AS "last_failure?",
                   t.last_error AS "last_error?"
            FROM troubled t CROSS JOIN LATERAL (
                SELECT count(*) AS count FROM (
                    SELECT FROM dead_letter d
                    WHERE d.endpoint_id = t.endpoint_id AND d.id >= uuid_at(now() - interval '1 hour') LIMIT $3
                ) counted
            ) died"#,
            $($arguments)*
        )
    };
}

impl RollupStore {
    /// Open endpoints that fail, those with most waiting first; one endpoint alone, if it is named.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn failing_now(
        &self,
        environment: &EnvironmentId,
        endpoint: Option<Uuid>,
    ) -> Result<Vec<TroubledEndpoint>, StoreError> {
        let rows = select_troubled!(
            "-- incident::failing",
            "
                SELECT h.endpoint_id, h.application_id, a.name, e.url, coalesce(h.failing_since, h.last_failed_at) AS since,
                       NULL::text AS disabled_reason, coalesce(s.due + s.later, 0) AS queued,
                       s.closed IS NOT NULL AS is_closed, least(e.paused_at, a.paused_at) AS held_since, s.first_due_at,
                       h.last_status, h.last_failure, h.last_error
                FROM endpoint_health h
                JOIN endpoint e ON e.id = h.endpoint_id
                JOIN application a ON a.id = h.application_id
                LEFT JOIN queue_sample s ON s.endpoint_id = h.endpoint_id
                WHERE h.environment_id = $1 AND h.last_failed_at > now() - interval '1 day'
                  AND ($4::uuid IS NULL OR h.endpoint_id = $4) AND h.failed_in_row >= $5
                  AND e.disabled_at IS NULL AND e.deleted_at IS NULL AND a.deleted_at IS NULL
                ORDER BY queued DESC, since LIMIT $2",
            environment.as_str(),
            LOOKED_AT,
            DIED_COUNTED,
            endpoint,
            FAILURES_IN_ROW,
        )
        .fetch_all(&self.reading)
        .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Endpoints that were disabled by their answers, within a week or while they hold something; one endpoint alone, if
    /// it is named.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn disabled_by_answers(
        &self,
        environment: &EnvironmentId,
        endpoint: Option<Uuid>,
    ) -> Result<Vec<TroubledEndpoint>, StoreError> {
        let rows = select_troubled!(
            "-- incident::disabled",
            "
                SELECT e.id AS endpoint_id, e.application_id, a.name, e.url, e.disabled_at AS since, e.disabled_reason,
                       coalesce(s.due + s.later, 0) AS queued, true AS is_closed,
                       least(e.disabled_at, e.paused_at, a.paused_at) AS held_since, s.first_due_at,
                       h.last_status, h.last_failure, h.last_error
                FROM endpoint e
                JOIN application a ON a.id = e.application_id
                LEFT JOIN queue_sample s ON s.endpoint_id = e.id
                LEFT JOIN endpoint_health h ON h.endpoint_id = e.id
                WHERE e.disabled_reason IN ('gone', 'failing') AND e.deleted_at IS NULL AND a.environment_id = $1
                  AND ($4::uuid IS NULL OR e.id = $4) AND a.deleted_at IS NULL
                  AND (e.disabled_at > now() - interval '7 days' OR s.endpoint_id IS NOT NULL)
                ORDER BY queued DESC, since LIMIT $2",
            environment.as_str(),
            LOOKED_AT,
            DIED_COUNTED,
            endpoint,
        )
        .fetch_all(&self.reading)
        .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Open endpoints that do not fail and have no rate limit, at which something is due for more than a minute while
    /// nothing goes out to them; one endpoint alone, if it is named.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn overdue(
        &self,
        environment: &EnvironmentId,
        endpoint: Option<Uuid>,
    ) -> Result<Vec<TroubledEndpoint>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            r#"-- incident::overdue
            SELECT s.endpoint_id, s.application_id, a.name, e.url, o.due_at AS "since!", NULL AS disabled_reason,
                   s.due + s.later AS "queued!", false AS "is_closed!", NULL::timestamptz AS held_since,
                   o.due_at AS "first_due_at?", 0::bigint AS "died!",
                   h.last_status AS "last_status?", h.last_failure AS "last_failure?", h.last_error AS "last_error?"
            FROM queue_sample s
            JOIN endpoint e ON e.id = s.endpoint_id
            JOIN application a ON a.id = s.application_id
            CROSS JOIN dispatching g
            LEFT JOIN endpoint_health h ON h.endpoint_id = s.endpoint_id
            CROSS JOIN LATERAL (
                SELECT p.due_at FROM pending p WHERE p.endpoint_id = s.endpoint_id AND p.due_at > '-infinity'
                ORDER BY p.due_at LIMIT 1
            ) o
            WHERE s.environment_id = $1 AND s.closed IS NULL AND s.first_due_at < now() - interval '1 minute'
              AND ($4::uuid IS NULL OR s.endpoint_id = $4)
              AND o.due_at < now() - interval '1 minute' AND coalesce(h.failed_in_row, 0) < $2
              AND e.disabled_at IS NULL AND e.paused_at IS NULL AND e.deleted_at IS NULL AND NOT e.policy ? 'rateLimit'
              AND a.paused_at IS NULL AND a.deleted_at IS NULL AND NOT a.policy ? 'rateLimit' AND g.paused_at IS NULL
              AND NOT EXISTS (
                  SELECT FROM rollup r
                  WHERE r.scope = s.endpoint_id AND r.step = $5 AND r.at > now() - interval '3 minutes'
                    AND r.status_2xx + r.status_3xx + r.status_4xx + r.status_5xx + r.no_response > 0)
            ORDER BY s.first_due_at LIMIT $3"#,
            environment.as_str(),
            FAILURES_IN_ROW,
            LOOKED_AT,
            endpoint,
            MINUTE,
        )
        .fetch_all(&self.reading)
        .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    /// Since when everything is paused, and by whom.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn dispatching_pause(&self) -> Result<Option<DispatchingPause>, StoreError> {
        let since = sqlx::query_scalar!(
            r#"-- incident::paused
            SELECT paused_at AS "since!" FROM dispatching WHERE singleton AND paused_at IS NOT NULL"#,
        )
        .fetch_optional(&self.reading)
        .await?;
        let Some(since) = since else { return Ok(None) };
        Ok(Some(DispatchingPause { since, by: self.who_changed(EVERYTHING, since).await? }))
    }

    /// What people call an actor: the name of its API key, or what the audit log has of it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn actor_name(&self, kind: ActorKind, id: &str) -> Result<String, StoreError> {
        let key = id.parse::<ApiKeyId>().ok().filter(|_| kind == ActorKind::ApiKey);
        let Some(key) = key else { return Ok(id.to_owned()) };
        let name =
            sqlx::query_scalar!("-- api_key::name\nSELECT name FROM api_key WHERE id = $1", key.uuid())
                .fetch_optional(&self.reading)
                .await?;
        Ok(name.unwrap_or_else(|| id.to_owned()))
    }

    /// Who knows of which incidents.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn acknowledgements(
        &self,
        environment: &EnvironmentId,
    ) -> Result<HashMap<String, Acknowledgement>, StoreError> {
        let rows = sqlx::query!(
            r#"-- incident_acknowledgement::list
            SELECT incident_id, at, by_name FROM incident_acknowledgement WHERE environment_id = $1
            ORDER BY at DESC LIMIT 10000"#,
            environment.as_str(),
        )
        .fetch_all(&self.reading)
        .await?;
        let known =
            rows.into_iter().map(|row| (row.incident_id, Acknowledgement { at: row.at, by: row.by_name }));
        Ok(known.collect())
    }

    /// Notes that somebody knows of an incident, or takes that back. What is so already stays as it is.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn acknowledge_incident(
        &self,
        actor: &Actor,
        environment: &EnvironmentId,
        incident: &str,
        known: bool,
    ) -> Result<(), StoreError> {
        let by = self.actor_name(actor.kind, &actor.id).await?;
        let mut tx = self.writing.begin().await?;
        let changed = if known {
            sqlx::query!(
                "-- incident_acknowledgement::add
                INSERT INTO incident_acknowledgement (environment_id, incident_id, by_name) VALUES ($1, $2, $3)
                ON CONFLICT (environment_id, incident_id) DO NOTHING",
                environment.as_str(),
                incident,
                by,
            )
            .execute(&mut *tx)
            .await?
        } else {
            sqlx::query!(
                "-- incident_acknowledgement::remove
                DELETE FROM incident_acknowledgement WHERE environment_id = $1 AND incident_id = $2",
                environment.as_str(),
                incident,
            )
            .execute(&mut *tx)
            .await?
        };
        if changed.rows_affected() > 0 {
            let action = if known { "incident.acknowledge" } else { "incident.unacknowledge" };
            note(&mut tx, actor, Entry::in_environment(environment, action, incident)).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
