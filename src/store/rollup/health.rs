//! How endpoints answer: a row for each one that has failed.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::id::{ApplicationId, EndpointId, EnvironmentId};
use crate::domain::rollup::health::HealthChange;
use crate::store::StoreError;

use super::RollupStore;

/// How an endpoint has answered lately.
#[derive(Debug, Clone)]
pub struct EndpointHealth {
    /// Failed attempts since the last success.
    pub failed_in_row: i32,
    /// The first of them.
    pub failing_since: Option<DateTime<Utc>>,
    /// The last failure.
    pub last_failed_at: DateTime<Utc>,
    /// Its status, if there was an answer.
    pub last_status: Option<i16>,
    /// What went wrong.
    pub last_failure: String,
    /// The beginning of the answer, or why there was none.
    pub last_error: String,
}

impl RollupStore {
    /// Writes down what changed about how endpoints answer.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; nothing was written then, as far as is known.
    pub async fn write_health(
        &self,
        changes: &[(&EnvironmentId, ApplicationId, EndpointId, &HealthChange)],
    ) -> Result<(), StoreError> {
        let succeeded: Vec<Uuid> =
            changes.iter().filter(|(.., change)| change.succeeded).map(|(_, _, id, _)| id.uuid()).collect();
        if !succeeded.is_empty() {
            sqlx::query!(
                r#"-- endpoint_health::succeed
                UPDATE endpoint_health h SET failed_in_row = 0, failing_since = NULL
                FROM (SELECT endpoint_id FROM endpoint_health WHERE endpoint_id = ANY($1) AND failed_in_row > 0
                      ORDER BY endpoint_id FOR UPDATE) s
                WHERE h.endpoint_id = s.endpoint_id"#,
                &succeeded,
            )
            .execute(&self.writing)
            .await?;
        }
        let failed = || {
            changes.iter().filter_map(|(environment, application, id, change)| {
                Some((environment, application, id, change, change.last.as_ref()?))
            })
        };
        let endpoints: Vec<Uuid> = failed().map(|(_, _, id, ..)| id.uuid()).collect();
        if endpoints.is_empty() {
            return Ok(());
        }
        let applications: Vec<Uuid> = failed().map(|(_, id, ..)| id.uuid()).collect();
        let environments: Vec<&str> = failed().map(|(id, ..)| id.as_str()).collect();
        let failures: Vec<i32> =
            failed().map(|(_, _, _, change, _)| i32::try_from(change.failures).unwrap_or(i32::MAX)).collect();
        let since: Vec<Option<DateTime<Utc>>> =
            failed().map(|(_, _, _, change, _)| change.failing_since).collect();
        let last_at: Vec<DateTime<Utc>> = failed().map(|(.., last)| last.at).collect();
        let statuses: Vec<Option<i16>> =
            failed().map(|(.., last)| last.status.and_then(|it| i16::try_from(it).ok())).collect();
        let names: Vec<&str> = failed().map(|(.., last)| last.failure).collect();
        let errors: Vec<&str> = failed().map(|(.., last)| last.error.as_str()).collect();
        sqlx::query!(
            r#"-- endpoint_health::fail
            INSERT INTO endpoint_health AS h (endpoint_id, application_id, environment_id, failed_in_row, failing_since,
                                              last_failed_at, last_status, last_failure, last_error)
            SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::integer[], $5::timestamptz[],
                                 $6::timestamptz[], $7::smallint[], $8::text[], $9::text[]) AS c(endpoint_id)
            ORDER BY c.endpoint_id
            ON CONFLICT (endpoint_id) DO UPDATE SET
                failed_in_row = h.failed_in_row + excluded.failed_in_row,
                failing_since = coalesce(h.failing_since, excluded.failing_since),
                last_failed_at = excluded.last_failed_at, last_status = excluded.last_status,
                last_failure = excluded.last_failure, last_error = excluded.last_error"#,
            &endpoints,
            &applications,
            &environments as &[&str],
            &failures,
            &since as &[Option<DateTime<Utc>>],
            &last_at,
            &statuses as &[Option<i16>],
            &names as &[&str],
            &errors as &[&str],
        )
        .execute(&self.writing)
        .await?;
        Ok(())
    }

    /// How these endpoints have answered; those that never failed are left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn health_of(
        &self,
        endpoints: &[Uuid],
    ) -> Result<std::collections::HashMap<Uuid, EndpointHealth>, StoreError> {
        let rows = sqlx::query!(
            r#"-- endpoint_health::of_endpoints
            SELECT endpoint_id, failed_in_row, failing_since, last_failed_at, last_status, last_failure, last_error
            FROM endpoint_health WHERE endpoint_id = ANY($1)"#,
            endpoints,
        )
        .fetch_all(&self.reading)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                (
                    row.endpoint_id,
                    EndpointHealth {
                        failed_in_row: row.failed_in_row,
                        failing_since: row.failing_since,
                        last_failed_at: row.last_failed_at,
                        last_status: row.last_status,
                        last_failure: row.last_failure,
                        last_error: row.last_error,
                    },
                )
            })
            .collect())
    }
}
