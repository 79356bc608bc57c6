//! Endpoints that only fail. The rollups know when an endpoint last took something and when it failed, so nothing is
//! written for this while deliveries go well, or while they fail.
//!
//! An endpoint fails for as long as lies between its first and its last failure since it last took something, and
//! since it was last enabled or resumed, whichever is later. A first failure is known to the hour when something was
//! delivered in the same hour; it then counts as later than it was, never as earlier.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::domain::access::actor::Actor;
use crate::domain::delivery::operational::NoticeKind;
use crate::domain::id::{ApplicationId, EndpointId};
use crate::store::StoreError;
use crate::store::access::audit::{Entry, note};
use crate::store::configuration::version::raise_version;
use crate::store::database::interval::interval;
use crate::store::operational::write_notice::write_notice;

use super::UpkeepStore;

/// An endpoint that takes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailingEndpoint {
    /// Its application.
    pub application_id: ApplicationId,
    /// Its id.
    pub id: EndpointId,
    /// Its first failure.
    pub since: DateTime<Utc>,
}

/// So many are disabled in one pass.
const ENDPOINTS_PER_PASS: i64 = 1_000;

impl UpkeepStore {
    /// Open endpoints that have failed for `after` or longer, and within the last hour or two.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn failing_endpoints(&self, after: Duration) -> Result<Vec<FailingEndpoint>, StoreError> {
        let rows = sqlx::query!(
            r#"-- endpoint::failing
            WITH lately AS MATERIALIZED (
                SELECT DISTINCT r.endpoint_id FROM endpoint_hour r
                WHERE r.node <> 0 AND r.hour >= date_trunc('hour', now(), 'UTC') - interval '1 hour'
                  AND r.last_failed_at IS NOT NULL
            )
            SELECT e.application_id AS "application_id!", e.id AS "id!", failed.first AS "first!"
            FROM lately l
            JOIN endpoint e ON e.id = l.endpoint_id
            JOIN application a ON a.id = e.application_id
            CROSS JOIN dispatching d
            CROSS JOIN LATERAL (
                SELECT greatest(e.created_at, e.opened_at, a.opened_at, d.resumed_at, max(r.last_delivered_at)) AS at
                FROM endpoint_hour r WHERE r.endpoint_id = e.id AND r.hour >= now() - $1::interval * 4 - interval '1 hour'
            ) good
            CROSS JOIN LATERAL (
                SELECT min(CASE WHEN r.first_failed_at > good.at THEN r.first_failed_at ELSE r.last_failed_at END) AS first,
                       max(r.last_failed_at) AS last
                FROM endpoint_hour r
                WHERE r.endpoint_id = e.id AND r.hour >= now() - $1::interval * 4 - interval '1 hour'
                  AND r.last_failed_at > good.at
            ) failed
            WHERE e.disabled_at IS NULL AND e.paused_at IS NULL AND e.deleted_at IS NULL
              AND a.paused_at IS NULL AND d.paused_at IS NULL
              AND failed.last - failed.first >= $1::interval
            ORDER BY failed.first LIMIT $2"#,
            interval(after),
            ENDPOINTS_PER_PASS,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| FailingEndpoint {
                application_id: row.application_id.into(),
                id: row.id.into(),
                since: row.first,
            })
            .collect())
    }

    /// Disables an endpoint that was found to fail, unless it has taken something, or was enabled or resumed, since.
    /// Says whether it did.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn disable_failing(
        &self,
        actor: &Actor,
        endpoint: &FailingEndpoint,
    ) -> Result<bool, StoreError> {
        let mut tx = self.pool.begin().await?;
        if !raise_version(&mut tx, endpoint.application_id).await? {
            return Ok(false);
        }
        let disabled = sqlx::query!(
            "-- endpoint::disable_failing
            UPDATE endpoint e SET disabled_at = now(), disabled_reason = 'failing', updated_at = now()
            WHERE e.id = $1 AND e.disabled_at IS NULL AND e.paused_at IS NULL AND e.deleted_at IS NULL
              AND (e.opened_at > $2) IS NOT TRUE
              AND NOT EXISTS (
                  SELECT FROM endpoint_hour r
                  WHERE r.endpoint_id = e.id AND r.hour >= date_trunc('hour', $2, 'UTC') AND r.last_delivered_at > $2)",
            endpoint.id.uuid(),
            endpoint.since,
        )
        .execute(&mut *tx)
        .await?;
        if disabled.rows_affected() == 0 {
            return Ok(false);
        }
        let details = json!({ "reason": "failing", "failingSince": endpoint.since });
        let entry = Entry::in_application(endpoint.application_id, "endpoint.disabled", endpoint.id);
        note(&mut tx, actor, entry.details(details.clone())).await?;
        write_notice(&mut tx, endpoint.application_id, endpoint.id, NoticeKind::EndpointDisabled, details)
            .await?;
        tx.commit().await?;
        Ok(true)
    }
}
