//! Endpoints that have failed for so long that somebody should hear of it, though not yet for so long that they are disabled.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::id::{ApplicationId, EndpointId};
use crate::store::StoreError;
use crate::store::database::interval::interval;

use super::UpkeepStore;

/// An endpoint that has taken nothing for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongFailing {
    /// Its application.
    pub application_id: ApplicationId,
    /// Its id.
    pub id: EndpointId,
    /// Its first failure.
    pub since: DateTime<Utc>,
    /// The attempts that failed since the hour of that.
    pub failed_attempts: u64,
}

impl UpkeepStore {
    /// Open endpoints that began to fail `after` ago, by now but not yet at the time of `told_until`, and have taken
    /// nothing since: those that failed the most come first. Each is found once, whoever asks.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn failing_for(
        &self,
        after: Duration,
        told_until: Option<DateTime<Utc>>,
        limit: i64,
    ) -> Result<Vec<LongFailing>, StoreError> {
        let rows = sqlx::query!(
            r#"-- endpoint::failing_for
            WITH lately AS MATERIALIZED (
                SELECT DISTINCT r.endpoint_id FROM endpoint_hour r
                WHERE r.node <> 0 AND r.hour >= date_trunc('hour', now(), 'UTC') - interval '1 hour'
                  AND r.last_failed_at IS NOT NULL
            )
            SELECT e.application_id AS "application_id!", e.id AS "id!", failed.first AS "first!",
                   failed.attempts AS "attempts!"
            FROM lately l
            JOIN endpoint e ON e.id = l.endpoint_id
            JOIN application a ON a.id = e.application_id
            CROSS JOIN dispatching d
            CROSS JOIN LATERAL (
                SELECT greatest(e.created_at, e.opened_at, a.opened_at, d.resumed_at, max(r.last_delivered_at)) AS at
                FROM endpoint_hour r WHERE r.endpoint_id = e.id AND r.hour >= now() - $1::interval - interval '25 hours'
            ) good
            CROSS JOIN LATERAL (
                SELECT min(CASE WHEN r.first_failed_at > good.at THEN r.first_failed_at ELSE r.last_failed_at END) AS first,
                       sum(r.status_3xx + r.status_4xx + r.status_5xx + r.no_response)::bigint AS attempts
                FROM endpoint_hour r
                WHERE r.endpoint_id = e.id AND r.hour >= now() - $1::interval - interval '25 hours'
                  AND r.last_failed_at > good.at
            ) failed
            WHERE e.disabled_at IS NULL AND e.paused_at IS NULL AND e.deleted_at IS NULL
              AND a.paused_at IS NULL AND d.paused_at IS NULL
              AND failed.first <= now() - $1::interval
              AND ($2::timestamptz IS NULL OR failed.first > $2 - $1::interval)
            ORDER BY failed.attempts DESC LIMIT $3"#,
            interval(after),
            told_until,
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| LongFailing {
                application_id: row.application_id.into(),
                id: row.id.into(),
                since: row.first,
                failed_attempts: row.attempts.unsigned_abs(),
            })
            .collect())
    }
}
