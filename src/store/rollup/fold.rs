//! Maintenance of rollups: minutes are added up into half hours, some scopes at a time, and what is over goes.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::domain::rollup::tally::Tally;
use crate::store::StoreError;
use crate::store::upkeep::UpkeepStore;

use super::series::StoredTally;
use super::write::{HALF_HOUR, MINUTE, RollupRow, write};

/// Minutes are kept for two days.
const MINUTES_KEPT_HOURS: i32 = 48;
/// What says how endpoints answered, who knew of an incident, and which processes ran, is kept for thirty days.
const STATES_KEPT_HOURS: i32 = 720;
/// Scopes whose minutes are added up at once.
const SCOPES_AT_ONCE: i64 = 500;

impl UpkeepStore {
    /// Adds the minutes of the next half hour up, once it has been over for two minutes. Says whether there was one.
    /// Doing it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`]; the half hour is folded again then.
    pub async fn fold_minutes(&self) -> Result<bool, StoreError> {
        let due = sqlx::query_scalar!(
            r#"-- rollup_fold::due
            SELECT folded_until AS "at!" FROM rollup_fold WHERE folded_until < now() - interval '32 minutes'"#,
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(begins_at) = due else { return Ok(false) };
        let ends_at = begins_at + TimeDelta::seconds(HALF_HOUR.into());
        let mut after = Uuid::nil();
        loop {
            let scopes = self.scopes_after(after).await?;
            let Some(last) = scopes.last().copied() else { break };
            let sums = self.minutes_of(&scopes, begins_at, ends_at).await?;
            let rows: Vec<_> =
                sums.iter().map(|(scope, tally)| RollupRow { scope: *scope, at: begins_at, tally }).collect();
            write(&self.pool, HALF_HOUR, 0, &rows).await?;
            after = last;
        }
        sqlx::query!(
            "-- rollup_fold::done
            UPDATE rollup_fold SET folded_until = $2 WHERE folded_until = $1",
            begins_at,
            ends_at,
        )
        .execute(&self.pool)
        .await?;
        Ok(true)
    }

    /// The next scopes after that one, found by skipping from one to the next.
    async fn scopes_after(&self, after: Uuid) -> Result<Vec<Uuid>, StoreError> {
        Ok(sqlx::query_scalar!(
            r#"-- rollup::scopes_after
            WITH RECURSIVE found AS (
                (SELECT r.scope, 1::bigint AS place FROM rollup r WHERE r.scope > $1 ORDER BY r.scope LIMIT 1)
                UNION ALL
                SELECT next.scope, f.place + 1 FROM found f CROSS JOIN LATERAL (
                    SELECT r.scope FROM rollup r WHERE r.scope > f.scope ORDER BY r.scope LIMIT 1
                ) next
                WHERE f.place < $2
            )
            SELECT scope AS "scope!" FROM found ORDER BY place"#,
            after,
            SCOPES_AT_ONCE,
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// What all processes counted for these scopes in the minutes of a time.
    async fn minutes_of(
        &self,
        scopes: &[Uuid],
        begins_at: DateTime<Utc>,
        ends_at: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, Tally>, StoreError> {
        let rows = sqlx::query_as!(
            StoredTally,
            r#"-- rollup::minutes_of
            SELECT r.scope, r.at, r.accepted, r.accepted_bytes, r.born, r.delivered, r.dead, r.status_2xx, r.status_3xx, r.status_4xx,
                   r.status_5xx, r.no_response, r.own, r.receiver, r.end_to_end, r.last_delivered_at
            FROM unnest($1::uuid[]) AS c(scope)
            JOIN rollup r ON r.scope = c.scope AND r.step = $2 AND r.at >= $3 AND r.at < $4"#,
            scopes,
            MINUTE,
            begins_at,
            ends_at,
        )
        .fetch_all(&self.pool)
        .await?;
        let mut sums: HashMap<Uuid, Tally> = HashMap::new();
        for row in rows {
            row.add_to(sums.entry(row.scope).or_default());
        }
        Ok(sums)
    }

    /// Deletes up to `chunk` rows of minutes that are over and were added up, and of half hours as old as messages get.
    /// Returns how many.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was deleted then.
    pub async fn delete_old_minutes(&self, retention: TimeDelta, chunk: i64) -> Result<u64, StoreError> {
        let half_hours_kept = i32::try_from(retention.num_hours()).unwrap_or(i32::MAX);
        let mut deleted = 0;
        for (step, hours) in [(MINUTE, MINUTES_KEPT_HOURS), (HALF_HOUR, half_hours_kept)] {
            deleted += sqlx::query!(
                r#"-- rollup::delete_old
                WITH old AS MATERIALIZED (
                    SELECT scope, step, at, writer FROM rollup
                    WHERE step = $1 AND at < now() - make_interval(hours => $2::integer)
                      AND at < (SELECT folded_until FROM rollup_fold WHERE singleton)
                    ORDER BY step, at LIMIT $3
                )
                DELETE FROM rollup r USING old o
                WHERE r.scope = o.scope AND r.step = o.step AND r.at = o.at AND r.writer = o.writer"#,
                step,
                hours,
                chunk,
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
            half_hours_kept,
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
