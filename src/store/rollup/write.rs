//! Writing rollups: whole minutes of one process, counts by event type, whose an application is.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::id::{ApplicationId, EnvironmentId};
use crate::domain::rollup::tally::Tally;
use crate::store::StoreError;
use crate::store::database::pool::Pool;

use super::RollupStore;

/// Rows that are written in one statement.
const ROWS_AT_ONCE: usize = 1_000;

/// The length of the steps that processes write, in seconds.
pub(in crate::store) const MINUTE: i32 = 60;
/// The length of the steps that minutes are added up into.
pub(in crate::store) const HALF_HOUR: i32 = 1_800;
/// The length of the steps that half hours are added up into.
pub(in crate::store) const THREE_HOURS: i32 = 10_800;

/// What one process counted in a step of time.
#[derive(Debug, Clone, Copy)]
pub struct RollupRow<'a> {
    /// Whose.
    pub scope: Uuid,
    /// When the step begins.
    pub at: DateTime<Utc>,
    /// What was counted.
    pub tally: &'a Tally,
}

impl RollupStore {
    /// Writes minutes, in place of what this writer wrote of them before.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; a part may be written then, and can be written again.
    pub async fn write_minutes(&self, writer: i64, rows: &[RollupRow<'_>]) -> Result<(), StoreError> {
        write(&self.writing, MINUTE, writer, rows).await
    }

    /// Adds messages by event type to the hour under way.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; none was added then, as far as is known.
    pub async fn add_event_types(
        &self,
        counts: &BTreeMap<(EnvironmentId, String), u64>,
    ) -> Result<(), StoreError> {
        if counts.is_empty() {
            return Ok(());
        }
        let environments: Vec<&str> = counts.keys().map(|(environment, _)| environment.as_str()).collect();
        let names: Vec<&str> = counts.keys().map(|(_, name)| name.as_str()).collect();
        let accepted: Vec<i64> =
            counts.values().map(|count| i64::try_from(*count).unwrap_or(i64::MAX)).collect();
        // In one order, so that no two nodes wait for one another.
        sqlx::query!(
            r#"-- event_type_hour::add
            INSERT INTO event_type_hour AS h (environment_id, event_type, accepted, hour)
            SELECT c.environment_id, c.event_type, c.accepted, date_trunc('hour', now(), 'UTC')
            FROM unnest($1::text[], $2::text[], $3::bigint[]) AS c(environment_id, event_type, accepted)
            ORDER BY c.environment_id, c.event_type
            ON CONFLICT (environment_id, hour, event_type) DO UPDATE SET accepted = h.accepted + excluded.accepted"#,
            &environments as &[&str],
            &names as &[&str],
            &accepted,
        )
        .execute(&self.writing)
        .await?;
        Ok(())
    }

    /// The environment of each of these applications; `None` for one that is nobody's tenant.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn environments_of(
        &self,
        applications: &[ApplicationId],
    ) -> Result<Vec<(ApplicationId, Option<EnvironmentId>)>, StoreError> {
        let ids: Vec<Uuid> = applications.iter().map(|id| id.uuid()).collect();
        let rows = sqlx::query!(
            r#"-- rollup::environments_of
            SELECT id, environment_id, purpose IS NULL AS "is_tenant!" FROM application WHERE id = ANY($1)"#,
            &ids,
        )
        .fetch_all(&self.writing)
        .await?;
        let of_row = |(application, environment, is_tenant): (Uuid, String, bool)| {
            let environment = environment.parse().map_err(|_| {
                StoreError::Inconsistent(format!(
                    "the environment of application {application} cannot be read"
                ))
            })?;
            Ok((application.into(), is_tenant.then_some(environment)))
        };
        rows.into_iter().map(|row| of_row((row.id, row.environment_id, row.is_tenant))).collect()
    }
}

/// The counters of rows, column by column.
#[derive(Default)]
struct Columns {
    scopes: Vec<Uuid>,
    ats: Vec<DateTime<Utc>>,
    counters: [Vec<i32>; 9],
    accepted_bytes: Vec<i64>,
    histograms: [Vec<Option<Vec<u8>>>; 3],
    last_delivered: Vec<Option<DateTime<Utc>>>,
}

impl Columns {
    fn of(rows: &[RollupRow<'_>]) -> Self {
        let mut columns = Self::default();
        for RollupRow { scope, at, tally } in rows {
            columns.scopes.push(*scope);
            columns.ats.push(*at);
            let counters = [
                tally.accepted,
                tally.born,
                tally.delivered,
                tally.dead,
                tally.status_2xx,
                tally.status_3xx,
                tally.status_4xx,
                tally.status_5xx,
                tally.no_response,
            ];
            for (column, counter) in columns.counters.iter_mut().zip(counters) {
                column.push(i32::try_from(counter).unwrap_or(i32::MAX));
            }
            columns.accepted_bytes.push(i64::try_from(tally.accepted_bytes).unwrap_or(i64::MAX));
            let histograms = [&tally.own, &tally.receiver, &tally.end_to_end];
            for (column, histogram) in columns.histograms.iter_mut().zip(histograms) {
                column.push(histogram.to_bytes());
            }
            columns.last_delivered.push(tally.last_delivered_at);
        }
        columns
    }
}

/// Writes steps, in place of what this writer wrote of them before.
pub(in crate::store) async fn write(
    pool: &Pool,
    step: i32,
    writer: i64,
    rows: &[RollupRow<'_>],
) -> Result<(), StoreError> {
    for rows in rows.chunks(ROWS_AT_ONCE) {
        let columns = Columns::of(rows);
        let [accepted, born, delivered, dead, s2, s3, s4, s5, none] = &columns.counters;
        let [own, receiver, end_to_end] = &columns.histograms;
        sqlx::query!(
            r#"-- rollup::write
            INSERT INTO rollup (step, writer, scope, at, accepted, born, delivered, dead, status_2xx, status_3xx,
                                status_4xx, status_5xx, no_response, own, receiver, end_to_end, last_delivered_at, accepted_bytes)
            SELECT $1, $2, * FROM unnest($3::uuid[], $4::timestamptz[], $5::integer[], $6::integer[], $7::integer[],
                $8::integer[], $9::integer[], $10::integer[], $11::integer[], $12::integer[], $13::integer[],
                $14::bytea[], $15::bytea[], $16::bytea[], $17::timestamptz[], $18::bigint[])
            ON CONFLICT (scope, step, at, writer) DO UPDATE SET
                accepted = excluded.accepted, born = excluded.born, delivered = excluded.delivered,
                dead = excluded.dead, status_2xx = excluded.status_2xx, status_3xx = excluded.status_3xx,
                status_4xx = excluded.status_4xx, status_5xx = excluded.status_5xx,
                no_response = excluded.no_response, own = excluded.own, receiver = excluded.receiver,
                end_to_end = excluded.end_to_end, last_delivered_at = excluded.last_delivered_at,
                accepted_bytes = excluded.accepted_bytes"#,
            step,
            writer,
            &columns.scopes,
            &columns.ats,
            accepted,
            born,
            delivered,
            dead,
            s2,
            s3,
            s4,
            s5,
            none,
            own as &[Option<Vec<u8>>],
            receiver as &[Option<Vec<u8>>],
            end_to_end as &[Option<Vec<u8>>],
            &columns.last_delivered as &[Option<DateTime<Utc>>],
            &columns.accepted_bytes,
        )
        .execute(pool)
        .await?;
    }
    Ok(())
}
