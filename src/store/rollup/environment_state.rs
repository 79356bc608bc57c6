//! What an environment has under way now, how much is set up in it, and which of its endpoints do worst.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::id::EnvironmentId;
use crate::store::{Capped, StoreError};

use super::sample::COUNTED_PER_ENDPOINT;
use super::{NamedEndpoint, RollupStore};

/// What is set up is counted so far.
const THINGS_COUNTED: i64 = 100_000;
/// Endpoints that failed within the last hour and are compared with one another.
const COMPARED: i64 = 200;

/// How much there is.
#[derive(Debug, Clone, Copy)]
pub struct SetUp {
    /// Applications.
    pub applications: Capped,
    /// Endpoints.
    pub endpoints: Capped,
    /// Event types, archived ones left out.
    pub event_types: Capped,
    /// Background tasks under way.
    pub running_tasks: i64,
}

/// An endpoint with how much of something it has.
#[derive(Debug, Clone)]
pub struct EndpointCount {
    /// Which.
    pub named: NamedEndpoint,
    /// How much.
    pub count: Capped,
}

/// What waits, of one kind.
#[derive(Debug, Clone)]
pub struct Queued {
    /// `due`, `retry`, `held_disabled` or `held_paused`.
    pub kind: String,
    /// How many, each endpoint's up to a thousand.
    pub count: i64,
    /// Whether an endpoint has more.
    pub is_capped: bool,
    /// When the oldest was accepted, of those that are due first at their endpoints.
    pub oldest_at: Option<DateTime<Utc>>,
    /// When the next goes.
    pub next_at: Option<DateTime<Utc>>,
    /// At how many endpoints.
    pub endpoints: i64,
    /// The three with most.
    pub examples: Vec<EndpointCount>,
}

/// An endpoint that failed within the last hour.
#[derive(Debug, Clone)]
pub struct FailedLately {
    /// Which.
    pub named: NamedEndpoint,
    /// The status of its last failure.
    pub last_status: Option<i16>,
    /// What went wrong the last time.
    pub last_failure: String,
    /// What waits for it.
    pub waiting: Capped,
}

impl RollupStore {
    /// How much is set up in an environment.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn set_up(&self, environment: &EnvironmentId) -> Result<SetUp, StoreError> {
        let row = sqlx::query!(
            r#"-- console::set_up
            SELECT (SELECT count(*) FROM (SELECT FROM application
                    WHERE environment_id = $1 AND deleted_at IS NULL AND purpose IS NULL LIMIT $2) a) AS "applications!",
                (SELECT count(*) FROM (SELECT FROM application a JOIN endpoint e ON e.application_id = a.id
                    WHERE a.environment_id = $1 AND a.deleted_at IS NULL AND a.purpose IS NULL AND e.deleted_at IS NULL
                    LIMIT $2) e) AS "endpoints!",
                (SELECT count(*) FROM (SELECT FROM event_type WHERE environment_id = $1 AND NOT archived LIMIT $2) t)
                    AS "event_types!",
                (SELECT count(*) FROM (SELECT FROM background_task
                    WHERE environment_id = $1 AND state = 'running' LIMIT 1000) b) AS "running_tasks!""#,
            environment.as_str(),
            THINGS_COUNTED + 1,
        )
        .fetch_one(&self.reading)
        .await?;
        Ok(SetUp {
            applications: Capped::of(row.applications, THINGS_COUNTED),
            endpoints: Capped::of(row.endpoints, THINGS_COUNTED),
            event_types: Capped::of(row.event_types, THINGS_COUNTED),
            running_tasks: row.running_tasks,
        })
    }

    /// What waits in an environment, by kind; as the last look at the queue found it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn queued(&self, environment: &EnvironmentId) -> Result<Vec<Queued>, StoreError> {
        let rows = sqlx::query!(
            r#"-- queue_sample::by_kind
            WITH mine AS MATERIALIZED (
                SELECT * FROM queue_sample WHERE environment_id = $1
            ), kinds AS (
                SELECT 'due' AS kind, endpoint_id, due AS count, oldest_accepted_at AS oldest_at, NULL::timestamptz AS next_at
                FROM mine WHERE closed IS NULL AND due > 0
                UNION ALL
                SELECT 'retry', endpoint_id, later, oldest_accepted_at, next_due_at FROM mine WHERE closed IS NULL AND later > 0
                UNION ALL
                SELECT 'held_' || closed, endpoint_id, least(due + later, $2), oldest_accepted_at, NULL
                FROM mine WHERE closed IS NOT NULL
            ), ranked AS (
                SELECT kind, endpoint_id, count, sum(count) OVER whole AS total, bool_or(count >= $2) OVER whole AS is_capped,
                       min(oldest_at) OVER whole AS oldest_at, min(next_at) OVER whole AS next_at,
                       count(*) OVER whole AS endpoints,
                       row_number() OVER (PARTITION BY kind ORDER BY count DESC, endpoint_id) AS place
                FROM kinds WINDOW whole AS (PARTITION BY kind)
            )
            SELECT r.kind AS "kind!", r.endpoint_id AS "endpoint_id!", r.count AS "count!", r.total AS "total!",
                   r.is_capped AS "is_capped!", r.oldest_at, r.next_at, r.endpoints AS "endpoints!",
                   e.application_id, e.url, a.name
            FROM ranked r JOIN endpoint e ON e.id = r.endpoint_id JOIN application a ON a.id = e.application_id
            WHERE r.place <= 3 ORDER BY r.kind, r.place"#,
            environment.as_str(),
            i32::try_from(COUNTED_PER_ENDPOINT).unwrap_or(i32::MAX),
        )
        .fetch_all(&self.reading)
        .await?;
        let mut kinds: Vec<Queued> = Vec::new();
        for row in rows {
            let example = EndpointCount {
                named: NamedEndpoint {
                    application_id: row.application_id.into(),
                    application_name: row.name,
                    endpoint_id: row.endpoint_id.into(),
                    url: row.url,
                },
                count: Capped::up_to(row.count.into(), COUNTED_PER_ENDPOINT),
            };
            match kinds.last_mut() {
                Some(last) if last.kind == row.kind => last.examples.push(example),
                _ => kinds.push(Queued {
                    kind: row.kind,
                    count: row.total,
                    is_capped: row.is_capped,
                    oldest_at: row.oldest_at,
                    next_at: row.next_at,
                    endpoints: row.endpoints,
                    examples: vec![example],
                }),
            }
        }
        Ok(kinds)
    }

    /// Endpoints that failed within the last hour, those with most failures in a row first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn failed_lately(&self, environment: &EnvironmentId) -> Result<Vec<FailedLately>, StoreError> {
        let rows = sqlx::query!(
            r#"-- endpoint_health::failed_lately
            SELECT h.endpoint_id, h.application_id, a.name, e.url, h.last_status, h.last_failure,
                   CASE WHEN s.closed IS NULL THEN coalesce(s.due + s.later, 0) ELSE 0 END AS "waiting!"
            FROM (
                SELECT * FROM endpoint_health
                WHERE environment_id = $1 AND last_failed_at > now() - interval '1 hour'
                ORDER BY failed_in_row DESC, last_failed_at DESC LIMIT $2
            ) h
            JOIN endpoint e ON e.id = h.endpoint_id
            JOIN application a ON a.id = h.application_id
            LEFT JOIN queue_sample s ON s.endpoint_id = h.endpoint_id
            WHERE e.deleted_at IS NULL AND a.deleted_at IS NULL"#,
            environment.as_str(),
            COMPARED,
        )
        .fetch_all(&self.reading)
        .await?;
        let failed = rows.into_iter().map(|row| FailedLately {
            named: NamedEndpoint {
                application_id: row.application_id.into(),
                application_name: row.name,
                endpoint_id: row.endpoint_id.into(),
                url: row.url,
            },
            last_status: row.last_status,
            last_failure: row.last_failure,
            waiting: Capped::up_to(row.waiting.into(), COUNTED_PER_ENDPOINT),
        });
        Ok(failed.collect())
    }

    /// Open dead letters of each of these endpoints, up to a thousand each.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn dead_open_of(
        &self,
        environment: &EnvironmentId,
        endpoints: &[Uuid],
    ) -> Result<std::collections::HashMap<Uuid, Capped>, StoreError> {
        let rows = sqlx::query!(
            r#"-- dead_letter::open_of_endpoints
            SELECT c.id AS "id!", l.count AS "count!" FROM unnest($2::uuid[]) AS c(id) CROSS JOIN LATERAL (
                SELECT count(*) AS count FROM (
                    SELECT FROM dead_letter d
                    WHERE d.environment_id = $1 AND d.endpoint_id = c.id
                      AND d.replayed_at IS NULL AND d.discarded_at IS NULL LIMIT $3
                ) counted
            ) l"#,
            environment.as_str(),
            endpoints,
            COUNTED_PER_ENDPOINT + 1,
        )
        .fetch_all(&self.reading)
        .await?;
        Ok(rows.into_iter().map(|row| (row.id, Capped::of(row.count, COUNTED_PER_ENDPOINT))).collect())
    }
}
