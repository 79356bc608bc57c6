//! How much of the database things take. Tables by what Postgres knows of their files; rows by its own estimates; tenants by
//! what rollups counted when it was accepted and recorded. No message, delivery or attempt is read for it.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::id::{ApplicationId, EnvironmentId};
use crate::store::StoreError;
use crate::store::database::interval::interval;

use super::write::{HALF_HOUR, MINUTE};
use super::{RollupScope, RollupStore};

/// Dead letters of an application are counted up to here.
const MAX_COUNTED_DEAD_LETTERS: i64 = 10_000;

/// Of fewer rows of a table the average says little: empty partitions take more. What a row takes then is the usual.
const MIN_ROWS_MEASURED: i64 = 100_000;
const USUAL_DELIVERY_BYTES: i64 = 400;
const USUAL_ATTEMPT_BYTES: i64 = 500;

/// A table with all its partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSize {
    /// Its name.
    pub name: String,
    /// As Postgres last estimated them.
    pub rows: i64,
    /// Of the rows, large values included.
    pub table_bytes: i64,
    /// Of its indexes.
    pub index_bytes: i64,
    /// In how many parts it lies.
    pub partitions: i64,
}

/// What somebody has, within the time for which it is kept, as rollups counted it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Counted from here on: nothing older is kept, or none of it is counted any more.
    pub since: DateTime<Utc>,
    /// Messages.
    pub messages: i64,
    /// The bytes of their payloads.
    pub payload_bytes: i64,
    /// Their deliveries.
    pub deliveries: i64,
    /// Attempts.
    pub attempts: i64,
    /// Dead letters, up to ten thousand; of an environment `None`.
    pub dead_letters: Option<i64>,
}

/// Bytes that a row takes on average, with its indexes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowBytes {
    /// A delivery.
    pub delivery: i64,
    /// An attempt.
    pub attempt: i64,
}

impl RollupStore {
    /// Every table of this installation, the largest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn table_sizes(&self) -> Result<Vec<TableSize>, StoreError> {
        let tables = sqlx::query_as!(
            TableSize,
            r#"-- usage::tables
            SELECT coalesce(parent.relname, t.relname)::text AS "name!",
                   sum(greatest(t.reltuples, 0))::bigint AS "rows!",
                   coalesce(sum(pg_table_size(t.oid)), 0)::bigint AS "table_bytes!",
                   coalesce(sum(pg_indexes_size(t.oid)), 0)::bigint AS "index_bytes!",
                   count(*) AS "partitions!"
            FROM pg_class t
            LEFT JOIN pg_inherits i ON i.inhrelid = t.oid
            LEFT JOIN pg_class parent ON parent.oid = i.inhparent
            WHERE t.relkind = 'r' AND t.relnamespace = (
                SELECT n.oid FROM pg_namespace n WHERE n.nspname = current_schema())
            GROUP BY 1
            ORDER BY sum(pg_table_size(t.oid)) + sum(pg_indexes_size(t.oid)) DESC NULLS LAST, 1"#
        )
        .fetch_all(&self.reading)
        .await?;
        Ok(tables)
    }

    /// What these applications have. `retention` is how long the server keeps messages.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn usage_of_applications(
        &self,
        applications: &[ApplicationId],
        retention: Duration,
    ) -> Result<HashMap<ApplicationId, Usage>, StoreError> {
        let ids: Vec<Uuid> = applications.iter().map(|id| id.uuid()).collect();
        let asked = sqlx::query!(
            r#"-- usage::of_applications
            SELECT a.id, date_trunc('day', now() - least($2::interval, coalesce(
                       kept_for(a.retention, e.retention, 'messageRetentionDays'), $2::interval)), 'UTC') AS "since!",
                   (SELECT count(*) FROM (
                       SELECT FROM dead_letter l WHERE l.application_id = a.id LIMIT $3) l) AS "dead_letters!"
            FROM application a JOIN environment e ON e.id = a.environment_id WHERE a.id = ANY($1)"#,
            &ids,
            interval(retention),
            MAX_COUNTED_DEAD_LETTERS,
        )
        .fetch_all(&self.reading)
        .await?;
        let scopes: Vec<(Uuid, DateTime<Utc>)> = asked.iter().map(|row| (row.id, row.since)).collect();
        let counted = self.counted(&scopes).await?;
        let usage = asked
            .into_iter()
            .zip(counted)
            .map(|(row, usage)| (row.id.into(), Usage { dead_letters: Some(row.dead_letters), ..usage }));
        Ok(usage.collect())
    }

    /// What these environments have, in their order.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn usage_of_environments(
        &self,
        environments: &[EnvironmentId],
        retention: Duration,
    ) -> Result<Vec<Usage>, StoreError> {
        let ids: Vec<String> = environments.iter().map(|id| id.as_str().to_owned()).collect();
        let since = sqlx::query_scalar!(
            r#"-- usage::of_environments
            SELECT date_trunc('day', now() - least($2::interval, coalesce(
                kept_for('{}', e.retention, 'messageRetentionDays'), $2::interval)), 'UTC') AS "since!"
            FROM unnest($1::text[]) WITH ORDINALITY AS u(id, place) LEFT JOIN environment e ON e.id = u.id
            ORDER BY u.place"#,
            &ids,
            interval(retention),
        )
        .fetch_all(&self.reading)
        .await?;
        let scopes = environments.iter().map(|id| RollupScope::Environment(id).uuid());
        self.counted(&scopes.zip(since).collect::<Vec<_>>()).await
    }

    /// What was counted of each of these scopes since its time, in their order.
    async fn counted(&self, scopes: &[(Uuid, DateTime<Utc>)]) -> Result<Vec<Usage>, StoreError> {
        let (scopes, since): (Vec<Uuid>, Vec<DateTime<Utc>>) = scopes.iter().copied().unzip();
        let rows = sqlx::query!(
            r#"-- usage::counted
            SELECT asked.since AS "since!", counted.messages AS "messages!", counted.payload_bytes AS "payload_bytes!",
                   counted.deliveries AS "deliveries!", counted.attempts AS "attempts!"
            FROM rollup_fold f CROSS JOIN unnest($1::uuid[], $2::timestamptz[]) WITH ORDINALITY AS asked(scope, since, place)
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(r.accepted), 0)::bigint AS messages,
                       coalesce(sum(r.accepted_bytes), 0)::bigint AS payload_bytes,
                       coalesce(sum(r.born), 0)::bigint AS deliveries,
                       coalesce(sum(r.status_2xx + r.status_3xx + r.status_4xx + r.status_5xx + r.no_response), 0)::bigint
                           AS attempts
                FROM (
                    SELECT h.* FROM rollup h
                    WHERE h.scope = asked.scope AND h.step = $4 AND h.at >= asked.since AND h.at < f.folded_until
                    UNION ALL
                    SELECT m.* FROM rollup m
                    WHERE m.scope = asked.scope AND m.step = $3 AND m.at >= greatest(asked.since, f.folded_until)
                ) r
            ) counted
            ORDER BY asked.place"#,
            &scopes,
            &since,
            MINUTE,
            HALF_HOUR,
        )
        .fetch_all(&self.reading)
        .await?;
        let usage = rows.into_iter().map(|row| Usage {
            since: row.since,
            messages: row.messages,
            payload_bytes: row.payload_bytes,
            deliveries: row.deliveries,
            attempts: row.attempts,
            dead_letters: None,
        });
        Ok(usage.collect())
    }

    /// What rows of deliveries and attempts take on average, as the sizes of their tables say.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn row_bytes(&self) -> Result<RowBytes, StoreError> {
        let tables = self.table_sizes().await?;
        let of = |name: &str, usual: i64| {
            let table = tables.iter().find(|table| table.name == name);
            let measured = table.filter(|table| table.rows >= MIN_ROWS_MEASURED);
            measured.map_or(usual, |table| (table.table_bytes + table.index_bytes) / table.rows)
        };
        Ok(RowBytes {
            delivery: of("delivery", USUAL_DELIVERY_BYTES),
            attempt: of("attempt", USUAL_ATTEMPT_BYTES),
        })
    }
}
