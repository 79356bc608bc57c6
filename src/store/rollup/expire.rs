//! Maintenance of rollups: what is over goes.

use chrono::TimeDelta;

use crate::store::StoreError;
use crate::store::upkeep::UpkeepStore;

use super::write::{HALF_HOUR, MINUTE, THREE_HOURS};

/// Minutes are kept for two days.
const MINUTES_KEPT_HOURS: i32 = 48;
/// What says how endpoints answered, who knew of an incident, and which processes ran, is kept for thirty days.
const STATES_KEPT_HOURS: i32 = 720;

impl UpkeepStore {
    /// Deletes up to `chunk` rows each of minutes that are over and were added up, and of longer steps as old as messages
    /// get. Returns how many.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was deleted then.
    pub async fn delete_old_steps(&self, retention: TimeDelta, chunk: i64) -> Result<u64, StoreError> {
        let kept = i32::try_from(retention.num_hours()).unwrap_or(i32::MAX);
        let mut deleted = 0;
        for (step, hours) in [(MINUTE, MINUTES_KEPT_HOURS), (HALF_HOUR, kept), (THREE_HOURS, kept)] {
            deleted += sqlx::query!(
                r#"-- rollup::delete_old
                WITH old AS MATERIALIZED (
                    SELECT scope, step, at, writer FROM rollup
                    WHERE step = $1 AND at < now() - make_interval(hours => $2::integer)
                      AND at < (SELECT CASE $1 WHEN $4 THEN folded_until ELSE three_hours_until END FROM rollup_fold
                                WHERE singleton)
                    ORDER BY step, at LIMIT $3
                )
                DELETE FROM rollup r USING old o
                WHERE r.scope = o.scope AND r.step = o.step AND r.at = o.at AND r.writer = o.writer"#,
                step,
                hours,
                chunk,
            MINUTE,
            )
            .execute(&self.pool)
            .await?
            .rows_affected();
            deleted += sqlx::query!(
                r#"-- rollup_gauge::delete_old
                WITH old AS MATERIALIZED (
                    SELECT scope, step, at FROM rollup_gauge
                    WHERE step = $1 AND at < now() - make_interval(hours => $2::integer) ORDER BY step, at LIMIT $3
                )
                DELETE FROM rollup_gauge r USING old o WHERE r.scope = o.scope AND r.step = o.step AND r.at = o.at"#,
                step,
                hours,
                chunk,
            )
            .execute(&self.pool)
            .await?
            .rows_affected();
        }
        deleted += sqlx::query!(
            r#"-- event_type_hour::delete_old
            WITH old AS MATERIALIZED (
                SELECT environment_id, hour, event_type FROM event_type_hour
                WHERE hour < now() - make_interval(hours => $1::integer) ORDER BY hour LIMIT $2
            )
            DELETE FROM event_type_hour h USING old o
            WHERE h.environment_id = o.environment_id AND h.hour = o.hour AND h.event_type = o.event_type"#,
            kept,
            chunk,
        )
        .execute(&self.pool)
        .await?
        .rows_affected();
        Ok(deleted)
    }

    /// Deletes up to `chunk` each of what was last true long ago: how endpoints answered, who knew of an incident, which
    /// processes ran. Returns how many.
    ///
    /// # Errors
    /// [`StoreError`]; a part may be deleted then.
    pub async fn delete_old_states(&self, chunk: i64) -> Result<u64, StoreError> {
        let health = sqlx::query!(
            r#"-- endpoint_health::delete_old
            WITH old AS MATERIALIZED (
                SELECT endpoint_id FROM endpoint_health
                WHERE last_failed_at < now() - make_interval(hours => $1::integer) ORDER BY last_failed_at LIMIT $2
            )
            DELETE FROM endpoint_health h USING old o WHERE h.endpoint_id = o.endpoint_id"#,
            STATES_KEPT_HOURS,
            chunk,
        )
        .execute(&self.pool)
        .await?;
        let acknowledgements = sqlx::query!(
            r#"-- incident_acknowledgement::delete_old
            WITH old AS MATERIALIZED (
                SELECT environment_id, incident_id FROM incident_acknowledgement
                WHERE at < now() - make_interval(hours => $1::integer) ORDER BY at LIMIT $2
            )
            DELETE FROM incident_acknowledgement a USING old o
            WHERE a.environment_id = o.environment_id AND a.incident_id = o.incident_id"#,
            STATES_KEPT_HOURS,
            chunk,
        )
        .execute(&self.pool)
        .await?;
        let processes = sqlx::query!(
            r#"-- node_presence::delete_old
            DELETE FROM node_presence WHERE writer IN (
                SELECT writer FROM node_presence
                WHERE seen_at < now() - make_interval(hours => $1::integer) ORDER BY seen_at LIMIT $2)"#,
            STATES_KEPT_HOURS,
            chunk,
        )
        .execute(&self.pool)
        .await?;
        Ok(health.rows_affected() + acknowledgements.rows_affected() + processes.rows_affected())
    }
}
