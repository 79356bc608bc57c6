//! Event types: how much of each is accepted, and who asks for it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::id::{EndpointId, EnvironmentId};
use crate::domain::page::Scan;
use crate::domain::rollup::range::Buckets;
use crate::store::{Span, StoreError};

use super::{NamedEndpoint, RollupStore};

/// Rows that are added up at most, the newest: a month of 2,000 event types that come every hour.
const HOURS_READ: i64 = 500_000;

/// Messages of an event type in a bucket.
#[derive(Debug, Clone)]
pub struct EventTypeVolume {
    /// The event type.
    pub event_type: String,
    /// When the bucket begins.
    pub at: DateTime<Utc>,
    /// How many were accepted.
    pub accepted: i64,
}

/// An endpoint that gets an event type.
#[derive(Debug, Clone)]
pub struct Subscriber {
    /// Which.
    pub named: NamedEndpoint,
    /// It names no event types, so it gets all.
    pub asks_for_everything: bool,
    /// Whether it is disabled.
    pub disabled: bool,
}

impl RollupStore {
    /// What was accepted of each event type in each bucket. Buckets are whole hours.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn event_type_volumes(
        &self,
        environment: &EnvironmentId,
        buckets: &Buckets,
    ) -> Result<Vec<EventTypeVolume>, StoreError> {
        #[expect(clippy::cast_precision_loss, reason = "a bucket is shorter than a day")]
        let seconds = buckets.seconds as f64;
        Ok(sqlx::query_as!(
            EventTypeVolume,
            r#"-- event_type_hour::volumes
            SELECT event_type, date_bin(make_interval(secs => $3), hour, $2) AS "at!", sum(accepted)::bigint AS "accepted!"
            FROM (
                SELECT event_type, hour, accepted FROM event_type_hour
                WHERE environment_id = $1 AND hour >= $2 ORDER BY hour DESC LIMIT $4
            ) counted
            GROUP BY 1, 2"#,
            environment.as_str(),
            buckets.starts_at,
            seconds,
            HOURS_READ,
        )
        .fetch_all(&self.reading)
        .await?)
    }

    /// How many enabled endpoints name each event type, and how many name none and so get all.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn askers(&self, environment: &EnvironmentId) -> Result<(Vec<(String, i64)>, i64), StoreError> {
        let rows = sqlx::query!(
            r#"-- event_type::askers
            SELECT t.name AS "name?", count(*) AS "endpoints!"
            FROM application a
            JOIN endpoint e ON e.application_id = a.id
            LEFT JOIN LATERAL unnest(e.event_types) AS t(name) ON true
            WHERE a.environment_id = $1 AND a.deleted_at IS NULL AND a.purpose IS NULL
              AND e.deleted_at IS NULL AND e.disabled_at IS NULL
            GROUP BY t.name"#,
            environment.as_str(),
        )
        .fetch_all(&self.reading)
        .await?;
        let everything = rows.iter().find(|row| row.name.is_none()).map_or(0, |row| row.endpoints);
        Ok((rows.into_iter().filter_map(|row| Some((row.name?, row.endpoints))).collect(), everything))
    }

    /// Whether an event type is in the catalogue, or an endpoint names it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn knows_event_type(
        &self,
        environment: &EnvironmentId,
        name: &str,
    ) -> Result<bool, StoreError> {
        Ok(sqlx::query_scalar!(
            r#"-- event_type::is_known
            SELECT EXISTS (SELECT FROM event_type WHERE environment_id = $1 AND name = $2) OR EXISTS (
                SELECT FROM endpoint e JOIN application a ON a.id = e.application_id
                WHERE e.event_types @> ARRAY[$2::text] AND e.deleted_at IS NULL AND a.environment_id = $1
            ) AS "is_known!""#,
            environment.as_str(),
            name,
        )
        .fetch_one(&self.reading)
        .await?)
    }

    /// Endpoints that get an event type, by id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn subscribers(
        &self,
        environment: &EnvironmentId,
        event_type: &str,
        scan: &Scan<EndpointId>,
    ) -> Result<Vec<Subscriber>, StoreError> {
        let span = Span::of(scan);
        let rows = sqlx::query!(
            r#"-- event_type::subscribers
            SELECT s.id AS "id!", s.url AS "url!", s.application_id AS "application_id!", s.name AS "name!",
                   s.disabled AS "disabled!", s.everything AS "everything!"
            FROM (
                (SELECT e.id, e.url, e.application_id, a.name, e.disabled_at IS NOT NULL AS disabled, false AS everything
                 FROM endpoint e JOIN application a ON a.id = e.application_id
                 WHERE e.event_types @> ARRAY[$2::text] AND e.deleted_at IS NULL AND e.id > $3 AND e.id < $4
                   AND a.environment_id = $1 AND a.deleted_at IS NULL AND a.purpose IS NULL
                 ORDER BY CASE WHEN $5 THEN e.id END, CASE WHEN NOT $5 THEN e.id END DESC LIMIT $6)
                UNION ALL
                (SELECT e.id, e.url, e.application_id, a.name, e.disabled_at IS NOT NULL, true
                 FROM endpoint e JOIN application a ON a.id = e.application_id
                 WHERE e.event_types IS NULL AND e.deleted_at IS NULL AND e.id > $3 AND e.id < $4
                   AND a.environment_id = $1 AND a.deleted_at IS NULL AND a.purpose IS NULL
                 ORDER BY CASE WHEN $5 THEN e.id END, CASE WHEN NOT $5 THEN e.id END DESC LIMIT $6)
            ) s
            ORDER BY CASE WHEN $5 THEN s.id END, CASE WHEN NOT $5 THEN s.id END DESC LIMIT $6"#,
            environment.as_str(),
            event_type,
            span.above,
            span.below,
            span.ascending,
            span.limit,
        )
        .fetch_all(&self.reading)
        .await?;
        let subscribers = rows.into_iter().map(|row| Subscriber {
            named: NamedEndpoint {
                application_id: row.application_id.into(),
                application_name: row.name,
                endpoint_id: row.id.into(),
                url: row.url,
            },
            asks_for_everything: row.everything,
            disabled: row.disabled,
        });
        Ok(subscribers.collect())
    }

    /// Of these ids, the applications (or the endpoints, of one application or of all) of an environment that are there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn known_among(
        &self,
        environment: &EnvironmentId,
        application: Option<Uuid>,
        ids: &[Uuid],
        are_endpoints: bool,
    ) -> Result<Vec<Uuid>, StoreError> {
        Ok(sqlx::query_scalar!(
            r#"-- console::known_among
            SELECT c.id AS "id!" FROM unnest($2::uuid[]) WITH ORDINALITY AS c(id, place)
            LEFT JOIN endpoint e ON e.id = c.id AND $4 AND e.deleted_at IS NULL AND ($3::uuid IS NULL OR e.application_id = $3)
            JOIN application a ON a.id = CASE WHEN $4 THEN e.application_id ELSE c.id END
            WHERE a.environment_id = $1 AND a.deleted_at IS NULL AND a.purpose IS NULL
            ORDER BY c.place"#,
            environment.as_str(),
            ids,
            application,
            are_endpoints,
        )
        .fetch_all(&self.reading)
        .await?)
    }
}
