//! What rules are compared with, for many rules at once: rollups of environments, new dead letters, and the last look at the
//! queue. Nothing here reads messages, deliveries or attempts.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::id::EnvironmentId;
use crate::store::StoreError;
use crate::store::rollup::RollupScope;
use crate::store::rollup::write::MINUTE;

use super::AlertStore;

/// New dead letters of an environment are counted so far.
const MAX_COUNTED: i64 = 10_000;

/// An environment, and since when something is counted there.
type CountedSince<'a> = (&'a EnvironmentId, DateTime<Utc>);

/// What was counted in an environment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RollupSums {
    /// Messages that were accepted.
    pub accepted: u64,
    /// Attempts.
    pub attempts: u64,
    /// Of those, the ones that were answered 2xx.
    pub succeeded: u64,
    /// Deliveries that became dead letters by their last attempt.
    pub dead: u64,
}

impl AlertStore {
    /// What was counted for each of these, in minutes that began at that time or later.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn rollup_sums(&self, asked: &[CountedSince<'_>]) -> Result<Vec<RollupSums>, StoreError> {
        let scopes: Vec<Uuid> =
            asked.iter().map(|(environment, _)| RollupScope::Environment(environment).uuid()).collect();
        let since: Vec<DateTime<Utc>> = asked.iter().map(|(_, since)| *since).collect();
        let rows = sqlx::query!(
            r#"-- alert::rollup_sums
            SELECT s.accepted AS "accepted!", s.attempts AS "attempts!", s.succeeded AS "succeeded!", s.dead AS "dead!"
            FROM unnest($1::uuid[], $2::timestamptz[]) WITH ORDINALITY AS a(scope, since, place)
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(accepted), 0) AS accepted, coalesce(sum(dead), 0) AS dead,
                       coalesce(sum(status_2xx + status_3xx + status_4xx + status_5xx + no_response), 0) AS attempts,
                       coalesce(sum(status_2xx), 0) AS succeeded
                FROM rollup r WHERE r.scope = a.scope AND r.step = $3 AND r.at >= a.since
            ) s
            ORDER BY a.place"#,
            &scopes,
            &since,
            MINUTE,
        )
        .fetch_all(&self.pool)
        .await?;
        let sums = rows.into_iter().map(|row| RollupSums {
            accepted: row.accepted.unsigned_abs(),
            attempts: row.attempts.unsigned_abs(),
            succeeded: row.succeeded.unsigned_abs(),
            dead: row.dead.unsigned_abs(),
        });
        Ok(sums.collect())
    }

    /// How many dead letters each of these got since that time, counted up to a bound. Those that a replay opened again are
    /// not among them, and those of operational webhooks do not count.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn new_dead_letters(&self, asked: &[CountedSince<'_>]) -> Result<Vec<u64>, StoreError> {
        let environments: Vec<&str> = asked.iter().map(|(environment, _)| environment.as_str()).collect();
        let since: Vec<DateTime<Utc>> = asked.iter().map(|(_, since)| *since).collect();
        let counts = sqlx::query_scalar!(
            r#"-- alert::new_dead_letters
            SELECT d.count AS "count!"
            FROM unnest($1::text[], $2::timestamptz[]) WITH ORDINALITY AS a(environment_id, since, place)
            LEFT JOIN application o ON o.environment_id = a.environment_id AND o.purpose = 'operational'
            CROSS JOIN LATERAL (
                SELECT count(*) AS count FROM (
                    SELECT FROM dead_letter l
                    WHERE l.environment_id = a.environment_id AND l.id >= uuid_at(a.since)
                      AND l.application_id IS DISTINCT FROM o.id
                    LIMIT $3
                ) counted
            ) d
            ORDER BY a.place"#,
            &environments as &[&str],
            &since,
            MAX_COUNTED,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(counts.into_iter().map(i64::unsigned_abs).collect())
    }

    /// Since when the longest overdue delivery of each of these has been due, as the last look at the queue found it. Endpoints
    /// that are disabled or paused do not count. Environments without one are left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn first_due(
        &self,
        environments: &[&EnvironmentId],
    ) -> Result<HashMap<String, DateTime<Utc>>, StoreError> {
        let names: Vec<&str> = environments.iter().map(|environment| environment.as_str()).collect();
        let rows = sqlx::query!(
            r#"-- alert::first_due
            SELECT environment_id, min(first_due_at) AS "first_due_at!" FROM queue_sample
            WHERE environment_id = ANY($1) AND closed IS NULL AND due > 0 GROUP BY environment_id"#,
            &names as &[&str],
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|row| (row.environment_id, row.first_due_at)).collect())
    }
}
