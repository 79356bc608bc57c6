//! Maintenance of rollups: minutes are added up into half hours and those into three hours, some scopes at a time, and hours
//! of event types into half days.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::domain::rollup::tally::Tally;
use crate::store::StoreError;
use crate::store::upkeep::UpkeepStore;

use super::series::StoredTally;
use super::write::{HALF_HOUR, MINUTE, RollupRow, THREE_HOURS, write};

/// Scopes whose steps are added up at once.
const SCOPES_AT_ONCE: i64 = 500;
/// Hours of event types that are added up at once.
const EVENT_TYPE_HOURS_AT_ONCE: i64 = 5_000;

impl UpkeepStore {
    /// Adds the minutes of the next half hour up, once it has been over for two minutes, or else the half hours of the next
    /// three hours, once they are all there, or else some hours of event types. Says whether there was one. Doing it again
    /// changes nothing.
    ///
    /// # Errors
    /// [`StoreError`]; the same step is folded again then.
    pub async fn fold_steps(&self) -> Result<bool, StoreError> {
        Ok(self.fold_minutes().await?
            || self.fold_half_hours().await?
            || self.fold_event_type_hours().await?)
    }

    /// Adds hours of event types up into half days, once they are older than what any view shows by the hour. A row is taken
    /// away and added in one statement, so whoever reads meanwhile counts it once.
    async fn fold_event_type_hours(&self) -> Result<bool, StoreError> {
        let folded = sqlx::query_scalar!(
            r#"-- event_type_hour::fold
            WITH old AS MATERIALIZED (
                SELECT environment_id, hour, event_type FROM event_type_hour
                WHERE hour <> date_bin('12 hours', hour, '2000-01-01 00:00:00Z') AND hour < now() - interval '8 days'
                ORDER BY hour LIMIT $1 FOR UPDATE SKIP LOCKED
            ), taken AS (
                DELETE FROM event_type_hour h USING old o
                WHERE h.environment_id = o.environment_id AND h.hour = o.hour AND h.event_type = o.event_type
                RETURNING h.environment_id, h.hour, h.event_type, h.accepted
            ), added AS (
                INSERT INTO event_type_hour AS h (environment_id, hour, event_type, accepted)
                SELECT environment_id, date_bin('12 hours', hour, '2000-01-01 00:00:00Z') AS half_day, event_type,
                       sum(accepted)::bigint
                FROM taken GROUP BY environment_id, half_day, event_type ORDER BY environment_id, half_day, event_type
                ON CONFLICT (environment_id, hour, event_type) DO UPDATE SET accepted = h.accepted + excluded.accepted
            )
            SELECT count(*) AS "folded!" FROM taken"#,
            EVENT_TYPE_HOURS_AT_ONCE,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(folded > 0)
    }

    /// A clock that was ahead has added up steps that had not been. They are added up again, from minutes, which are kept for
    /// longer than a day.
    async fn fold_again_what_was_ahead(&self) -> Result<(), StoreError> {
        sqlx::query!(
            "-- rollup_fold::correct_ahead
            UPDATE rollup_fold
            SET folded_until = date_bin('3 hours', now() - interval '1 day', '2000-01-01 00:00:00Z'),
                three_hours_until = least(
                    three_hours_until, date_bin('3 hours', now() - interval '1 day', '2000-01-01 00:00:00Z'))
            WHERE folded_until > now() + interval '1 minute'"
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn fold_minutes(&self) -> Result<bool, StoreError> {
        self.fold_again_what_was_ahead().await?;
        let due = sqlx::query_scalar!(
            r#"-- rollup_fold::due
            SELECT folded_until AS "at!" FROM rollup_fold WHERE folded_until < now() - interval '32 minutes'"#,
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(begins_at) = due else { return Ok(false) };
        let ends_at = self.add_up(MINUTE, HALF_HOUR, begins_at).await?;
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

    async fn fold_half_hours(&self) -> Result<bool, StoreError> {
        let due = sqlx::query_scalar!(
            r#"-- rollup_fold::half_hours_due
            SELECT three_hours_until AS "at!" FROM rollup_fold
            WHERE three_hours_until <= folded_until - interval '3 hours'"#,
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(begins_at) = due else { return Ok(false) };
        let ends_at = self.add_up(HALF_HOUR, THREE_HOURS, begins_at).await?;
        sqlx::query!(
            "-- rollup_fold::half_hours_done
            UPDATE rollup_fold SET three_hours_until = $2 WHERE three_hours_until = $1",
            begins_at,
            ends_at,
        )
        .execute(&self.pool)
        .await?;
        Ok(true)
    }

    /// Writes the sums of all scopes for one step out of shorter ones. Returns when the step ends.
    async fn add_up(
        &self,
        from: i32,
        to: i32,
        begins_at: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, StoreError> {
        let ends_at = begins_at + TimeDelta::seconds(to.into());
        let mut after = Uuid::nil();
        loop {
            let scopes = self.scopes_after(after).await?;
            let Some(last) = scopes.last().copied() else { return Ok(ends_at) };
            let sums = self.sums(&scopes, from, begins_at, ends_at).await?;
            let rows: Vec<_> =
                sums.iter().map(|(scope, tally)| RollupRow { scope: *scope, at: begins_at, tally }).collect();
            write(&self.pool, to, 0, &rows).await?;
            after = last;
        }
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

    /// What all processes counted for these scopes in the steps of a time.
    async fn sums(
        &self,
        scopes: &[Uuid],
        step: i32,
        begins_at: DateTime<Utc>,
        ends_at: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, Tally>, StoreError> {
        let rows = sqlx::query_as!(
            StoredTally,
            r#"-- rollup::sums
            SELECT r.scope, r.at, r.accepted, r.accepted_bytes, r.born, r.delivered, r.dead, r.status_2xx, r.status_3xx, r.status_4xx,
                   r.status_5xx, r.no_response, r.own, r.receiver, r.end_to_end, r.last_delivered_at
            FROM unnest($1::uuid[]) AS c(scope)
            JOIN rollup r ON r.scope = c.scope AND r.step = $2 AND r.at >= $3 AND r.at < $4"#,
            scopes,
            step,
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
}
