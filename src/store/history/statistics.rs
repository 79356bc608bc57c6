//! What the rollups tell: deliveries that ended and attempts that were made, by the hour or by the day. Nothing here
//! reads deliveries or attempts.

use chrono::{DateTime, Utc};

use crate::domain::id::{ApplicationId, EndpointId, EnvironmentId};
use crate::store::{StoreError, TimeBounds};

use super::HistoryStore;

/// Whose deliveries are counted.
#[derive(Debug, Clone, Copy)]
pub enum CountedScope<'a> {
    /// To one endpoint.
    Endpoint(EndpointId),
    /// To all endpoints of an application, deleted ones included.
    Application(ApplicationId),
    /// To all endpoints of an environment, deleted ones included.
    Environment(&'a EnvironmentId),
}

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight, UTC.
    Day,
}

impl Bucket {
    /// As the database and the API name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// Its length.
    pub const fn hours(self) -> i32 {
        match self {
            Self::Hour => 1,
            Self::Day => 24,
        }
    }
}

/// What ended and what was tried in a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Deliveries that arrived.
    pub delivered: i64,
    /// Deliveries that died.
    pub dead: i64,
    /// Attempts that were answered 2xx.
    pub status_2xx: i64,
    /// 3xx.
    pub status_3xx: i64,
    /// 4xx.
    pub status_4xx: i64,
    /// 5xx.
    pub status_5xx: i64,
    /// Attempts without an answer.
    pub no_response: i64,
    /// All attempts together took so long.
    pub duration_ms: i64,
}

/// Counts of one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketCounts {
    /// When it begins.
    pub at: DateTime<Utc>,
    /// What was counted.
    pub counts: Counts,
}

/// What has not ended yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unended {
    /// Waits for its first attempt.
    pub pending: i64,
    /// Was tried before, or is with a node.
    pub sending: i64,
}

/// More than this is not counted one by one.
const MAX_COUNTED: i64 = 1_000_000;

impl HistoryStore {
    /// The time by the database's clock, which rules the rollups.
    pub async fn database_time(&self) -> Result<DateTime<Utc>, StoreError> {
        Ok(sqlx::query_scalar!("-- statistics::now\nSELECT now() AS \"now!\"").fetch_one(&self.pool).await?)
    }

    /// Every bucket from the one that `since` lies in to the one before `until`, empty ones included.
    pub async fn deliveries_over_time(
        &self,
        scope: CountedScope<'_>,
        bucket: Bucket,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<BucketCounts>, StoreError> {
        let (endpoint, application, environment) = match scope {
            CountedScope::Endpoint(id) => (Some(id.uuid()), None, None),
            CountedScope::Application(id) => (None, Some(id.uuid()), None),
            CountedScope::Environment(id) => (None, None, Some(id.as_str())),
        };
        let rows = sqlx::query!(
            r#"-- endpoint_hour::over_time
            WITH counted AS (
                SELECT date_trunc($4, h.hour, 'UTC') AS at, sum(h.delivered)::bigint AS delivered,
                       sum(h.dead)::bigint AS dead, sum(h.status_2xx)::bigint AS status_2xx,
                       sum(h.status_3xx)::bigint AS status_3xx, sum(h.status_4xx)::bigint AS status_4xx,
                       sum(h.status_5xx)::bigint AS status_5xx, sum(h.no_response)::bigint AS no_response,
                       sum(h.duration_ms)::bigint AS duration_ms
                FROM endpoint_hour h
                WHERE ($1::uuid IS NULL OR h.endpoint_id = $1)
                  AND ($2::uuid IS NULL OR h.application_id = $2)
                  AND ($3::text IS NULL OR h.application_id IN (
                       SELECT id FROM application WHERE environment_id = $3 AND purpose IS NULL))
                  AND h.hour >= date_trunc($4, $5::timestamptz, 'UTC') AND h.hour < $6
                GROUP BY 1
            )
            SELECT b.at AS "at!", coalesce(c.delivered, 0) AS "delivered!", coalesce(c.dead, 0) AS "dead!",
                   coalesce(c.status_2xx, 0) AS "status_2xx!", coalesce(c.status_3xx, 0) AS "status_3xx!",
                   coalesce(c.status_4xx, 0) AS "status_4xx!", coalesce(c.status_5xx, 0) AS "status_5xx!",
                   coalesce(c.no_response, 0) AS "no_response!", coalesce(c.duration_ms, 0) AS "duration_ms!"
            FROM generate_series(date_trunc($4, $5::timestamptz, 'UTC'), $6::timestamptz - interval '1 microsecond',
                                 make_interval(hours => $7)) AS b(at)
            LEFT JOIN counted c ON c.at = b.at
            ORDER BY b.at"#,
            endpoint,
            application,
            environment,
            bucket.name(),
            since,
            until,
            bucket.hours(),
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| BucketCounts {
                at: row.at,
                counts: Counts {
                    delivered: row.delivered,
                    dead: row.dead,
                    status_2xx: row.status_2xx,
                    status_3xx: row.status_3xx,
                    status_4xx: row.status_4xx,
                    status_5xx: row.status_5xx,
                    no_response: row.no_response,
                    duration_ms: row.duration_ms,
                },
            })
            .collect())
    }

    /// What ended and what was tried at an endpoint, in full hours.
    pub async fn endpoint_counts(
        &self,
        endpoint: EndpointId,
        bounds: TimeBounds,
    ) -> Result<Counts, StoreError> {
        let row = sqlx::query!(
            r#"-- endpoint_hour::of_endpoint
            SELECT coalesce(sum(delivered), 0)::bigint AS "delivered!", coalesce(sum(dead), 0)::bigint AS "dead!",
                   coalesce(sum(status_2xx), 0)::bigint AS "status_2xx!",
                   coalesce(sum(status_3xx), 0)::bigint AS "status_3xx!",
                   coalesce(sum(status_4xx), 0)::bigint AS "status_4xx!",
                   coalesce(sum(status_5xx), 0)::bigint AS "status_5xx!",
                   coalesce(sum(no_response), 0)::bigint AS "no_response!",
                   coalesce(sum(duration_ms), 0)::bigint AS "duration_ms!"
            FROM endpoint_hour
            WHERE endpoint_id = $1 AND ($2::timestamptz IS NULL OR hour >= date_trunc('hour', $2, 'UTC'))
              AND ($3::timestamptz IS NULL OR hour < $3)"#,
            endpoint.uuid(),
            bounds.since,
            bounds.until,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Counts {
            delivered: row.delivered,
            dead: row.dead,
            status_2xx: row.status_2xx,
            status_3xx: row.status_3xx,
            status_4xx: row.status_4xx,
            status_5xx: row.status_5xx,
            no_response: row.no_response,
            duration_ms: row.duration_ms,
        })
    }

    /// What waits at an endpoint, of messages from that time; a million at most. What a node holds in memory for its
    /// first attempt is not in the queue, and so not counted.
    pub async fn unended_at(&self, endpoint: EndpointId, bounds: TimeBounds) -> Result<Unended, StoreError> {
        let (above, below) = bounds.ids();
        let row = sqlx::query!(
            r#"-- pending::count_of_endpoint
            SELECT count(*) AS "all!",
                   count(*) FILTER (WHERE attempts > 0 OR owner IS NOT NULL AND due_at > now()) AS "sending!"
            FROM (
                SELECT attempts, owner, due_at FROM pending
                WHERE endpoint_id = $1 AND due_at > '-infinity' AND message_id > $2 AND message_id < $3 LIMIT $4
            ) p"#,
            endpoint.uuid(),
            above,
            below,
            MAX_COUNTED,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Unended { pending: row.all - row.sending, sending: row.sending })
    }
}
