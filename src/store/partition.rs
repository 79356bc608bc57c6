//! Partitions: made ahead of time, dropped when all in them is older than it has to be kept.
//!
//! Only one node at a time does this: a [`MaintenanceSession`] is a connection of its own that holds an advisory
//! lock, and the lock goes when the connection does, however it ends. Locks on tables are taken for moments, and
//! given up after a second: writes behind them wait no longer, and the next tick tries again.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use sqlx::{AssertSqlSafe, Executor};

use super::connection::Connection;
use super::{Store, StoreError};

/// A number of our own among advisory locks: "postride" in ASCII.
const MAINTENANCE_LOCK: i64 = 0x706f_7374_7269_6465;
/// Answered keys are honoured for 12 hours; their slots stay twice as long.
const IDEMPOTENCY_KEPT: TimeDelta = TimeDelta::hours(24);
/// Idempotency keys stand in slots of this length, everything else in days.
const SLOT: TimeDelta = TimeDelta::hours(6);

/// The right to do maintenance, until it is ended or dropped.
pub struct MaintenanceSession {
    pub(super) connection: Connection,
}

/// One dated partition: `message_20261122t00`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Partition {
    parent: String,
    name: String,
    from_at: DateTime<Utc>,
    to_at: DateTime<Utc>,
}

impl Partition {
    /// Reads a table's name; the default partitions have no date and are none.
    fn of(parent: &str, name: &str) -> Option<Self> {
        let start = name.strip_prefix(parent)?.strip_prefix('_')?;
        let from_at = NaiveDateTime::parse_from_str(&format!("{start}00"), "%Y%m%dt%H%M").ok()?.and_utc();
        let length = if parent == "idempotency_key" { SLOT } else { TimeDelta::days(1) };
        Some(Self { parent: parent.to_owned(), name: name.to_owned(), from_at, to_at: from_at + length })
    }
}

impl Store {
    /// Takes the lock, or says that another node has it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn begin_maintenance(&self) -> Result<Option<MaintenanceSession>, StoreError> {
        let mut connection = self.upkeep.connection().await?;
        let taken = sqlx::query_scalar!(
            r#"-- maintenance::lock
            SELECT pg_try_advisory_lock($1) AS "taken!""#,
            MAINTENANCE_LOCK
        )
        .fetch_one(&mut connection)
        .await?;
        let session = MaintenanceSession { connection };
        if taken {
            return Ok(Some(session));
        }
        session.end().await;
        Ok(None)
    }
}

impl MaintenanceSession {
    /// Lets go of the lock, by closing the session that holds it.
    pub async fn end(self) {
        self.connection.close().await;
    }

    /// Makes the partitions of yesterday to a week ahead, and idempotency slots two days ahead. Each is a commit of
    /// its own. Returns how many were made.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], also when a table stays locked by others; what was made stays.
    pub async fn make_partitions(&mut self) -> Result<u64, StoreError> {
        let missing = sqlx::query!(
            r#"-- partition::missing
            SELECT parent AS "parent!", from_at AS "from_at!", to_at AS "to_at!"
            FROM (
                SELECT parent, day AS from_at, day + interval '24 hours' AS to_at
                FROM unnest(ARRAY['message', 'delivery', 'attempt']) parent,
                     generate_series(date_trunc('day', now(), 'UTC') - interval '24 hours',
                                     now() + interval '168 hours', interval '24 hours') day
                UNION ALL
                SELECT 'idempotency_key', slot, slot + interval '6 hours'
                FROM generate_series(date_bin('6 hours', now(), TIMESTAMPTZ '2000-01-01 00:00:00Z'),
                                     now() + interval '48 hours', interval '6 hours') slot
            ) wanted
            WHERE to_regclass(parent || '_' || to_char(from_at AT TIME ZONE 'UTC', 'YYYYMMDD"t"HH24')) IS NULL
            ORDER BY abs(extract(epoch FROM from_at - now()))"#
        )
        .fetch_all(&mut self.connection)
        .await?;
        let mut made = 0;
        for partition in missing {
            let new = sqlx::query_scalar!(
                r#"-- partition::make
                SELECT make_partition($1, $2, $3) AS "made!""#,
                partition.parent,
                partition.from_at,
                partition.to_at
            )
            .fetch_one(&mut self.connection)
            .await?;
            made += u64::from(new);
        }
        Ok(made)
    }

    /// Drops the partitions in which everything is older than `retention`, unless a delivery in them still waits.
    /// A day's messages and deliveries go together. Returns the names of what was dropped.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], also when a table stays locked by others; what was dropped stays so.
    pub async fn drop_partitions(&mut self, retention: TimeDelta) -> Result<Vec<String>, StoreError> {
        let now = sqlx::query_scalar!(
            r#"-- maintenance::now
            SELECT now() AS "now!""#
        )
        .fetch_one(&mut self.connection)
        .await?;
        let mut dropped = Vec::new();
        for partition in self.partitions().await? {
            let kept = if partition.parent == "idempotency_key" { IDEMPOTENCY_KEPT } else { retention };
            if now - kept < partition.to_at {
                continue;
            }
            let names = match partition.parent.as_str() {
                "message" => self.drop_day(&partition).await?,
                // Goes with the messages of its day.
                "delivery" => Vec::new(),
                _ => self.drop_alone(&partition).await?,
            };
            dropped.extend(names);
        }
        Ok(dropped)
    }

    async fn partitions(&mut self) -> Result<Vec<Partition>, StoreError> {
        let rows = sqlx::query!(
            r#"-- partition::list
            SELECT parent.relname::text AS "parent!", child.relname::text AS "name!"
            FROM pg_inherits
            JOIN pg_class parent ON parent.oid = inhparent AND parent.relkind = 'p'
            JOIN pg_class child ON child.oid = inhrelid
            WHERE parent.oid IN ('message'::regclass, 'delivery'::regclass, 'attempt'::regclass,
                                 'idempotency_key'::regclass)
            ORDER BY child.relname"#
        )
        .fetch_all(&mut self.connection)
        .await?;
        Ok(rows.into_iter().filter_map(|row| Partition::of(&row.parent, &row.name)).collect())
    }

    /// Drops a day of messages and deliveries. What waits is looked for again under the lock, so that a replay that
    /// puts an old message back to work is either seen or comes too late.
    async fn drop_day(&mut self, messages: &Partition) -> Result<Vec<String>, StoreError> {
        let deliveries = messages.name.replacen("message", "delivery", 1);
        if waits(&mut self.connection, messages).await? {
            return Ok(Vec::new());
        }
        self.connection.execute("BEGIN").await?;
        let dropped = self.drop_day_locked(messages, &deliveries).await;
        // After an error as well: a transaction that is left open would keep its locks.
        self.connection.execute(if matches!(dropped, Ok(true)) { "COMMIT" } else { "ROLLBACK" }).await?;
        Ok(if dropped? { vec![messages.name.clone(), deliveries] } else { Vec::new() })
    }

    /// The part under the lock; false when a delivery waits after all.
    async fn drop_day_locked(&mut self, messages: &Partition, deliveries: &str) -> Result<bool, StoreError> {
        self.connection.execute("LOCK TABLE ONLY message, ONLY delivery IN ACCESS EXCLUSIVE MODE").await?;
        if waits(&mut self.connection, messages).await? {
            return Ok(false);
        }
        // Both names come from the catalogue and were parsed; nothing in them needs quoting.
        let statement = format!("DROP TABLE IF EXISTS {}, {deliveries}", messages.name);
        self.connection.execute(AssertSqlSafe(statement)).await?;
        Ok(true)
    }

    async fn drop_alone(&mut self, partition: &Partition) -> Result<Vec<String>, StoreError> {
        self.connection.execute(AssertSqlSafe(format!("DROP TABLE IF EXISTS {}", partition.name))).await?;
        Ok(vec![partition.name.clone()])
    }

    /// Deletes what is older than `retention` where no partition can be dropped: rows that a replay put back into
    /// the default partitions. What still waits stays. Returns the number of messages.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn delete_strays(&mut self, retention: TimeDelta) -> Result<u64, StoreError> {
        let row = sqlx::query!(
            r#"-- partition::delete_strays
            WITH oldest AS MATERIALIZED (SELECT uuid_at(now() - $1::float8 * interval '1 second') AS id),
            deliveries AS (
                DELETE FROM delivery_default d USING oldest
                WHERE d.message_id < oldest.id
                  AND NOT EXISTS (SELECT FROM pending p WHERE p.message_id = d.message_id)
            ),
            attempts AS (
                DELETE FROM attempt_default a USING oldest WHERE a.id < oldest.id
            ),
            messages AS (
                DELETE FROM message_default m USING oldest
                WHERE m.id < oldest.id AND NOT EXISTS (SELECT FROM pending p WHERE p.message_id = m.id)
                RETURNING 1
            )
            SELECT count(*) AS "messages!" FROM messages"#,
            seconds(retention)
        )
        .fetch_one(&mut self.connection)
        .await?;
        Ok(row.messages.cast_unsigned())
    }

    /// Frees the `eventId`s of messages older than `retention`. Returns how many.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn delete_event_ids(&mut self, retention: TimeDelta) -> Result<u64, StoreError> {
        let done = sqlx::query!(
            r#"-- partition::delete_event_ids
            DELETE FROM message_event_id
            WHERE message_id < uuid_at(now() - $1::float8 * interval '1 second')"#,
            seconds(retention)
        )
        .execute(&mut self.connection)
        .await?;
        Ok(done.rows_affected())
    }
}

/// Whether a delivery of these messages waits in the queue.
async fn waits(connection: &mut Connection, messages: &Partition) -> Result<bool, StoreError> {
    let waits = sqlx::query_scalar!(
        r#"-- partition::waits
        SELECT EXISTS (
            SELECT FROM pending WHERE message_id >= uuid_at($1) AND message_id < uuid_at($2)
        ) AS "waits!""#,
        messages.from_at,
        messages.to_at
    )
    .fetch_one(connection)
    .await?;
    Ok(waits)
}

fn seconds(time: TimeDelta) -> f64 {
    time.as_seconds_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partitions_time_is_in_its_name() {
        let day = Partition::of("message", "message_20261122t00").unwrap();
        assert_eq!(day.from_at.to_rfc3339(), "2026-11-22T00:00:00+00:00");
        assert_eq!(day.to_at.to_rfc3339(), "2026-11-23T00:00:00+00:00");
        let slot = Partition::of("idempotency_key", "idempotency_key_20261122t18").unwrap();
        assert_eq!(slot.to_at.to_rfc3339(), "2026-11-23T00:00:00+00:00");
        assert_eq!(Partition::of("message", "message_default"), None);
        assert_eq!(Partition::of("message", "message_event_id"), None);
    }
}
