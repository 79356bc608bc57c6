//! Partitions: made ahead of time, dropped when all in them is older than it has to be kept.
//!
//! One node at a time does this, each partition in a transaction of its own. Locks on tables are waited for for moments,
//! because writes wait behind them, and the next round tries again. Where a few deliveries of a day still wait, or a few of
//! its messages are kept for longer, they are set aside into the default partitions in the transaction that drops the day,
//! so that one tenant does not keep the days of all. Where they are many, the day stays, and what is not needed in it is
//! deleted (`retention.rs`).

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use crate::store::{MaintenanceSession, StoreError};

use super::kept_longer::KeptAttempts;

/// Answered keys are honoured for 12 hours; their slots stay twice as long.
const IDEMPOTENCY_KEPT: TimeDelta = TimeDelta::hours(24);
/// Idempotency keys stand in slots of this length, everything else in days.
const IDEMPOTENCY_SLOT: TimeDelta = TimeDelta::hours(6);

/// What is set aside under the locks of one day, at most: it takes less than a tenth of a second, also on a busy machine.
const MAX_MESSAGES_SET_ASIDE: i64 = 500;
const MAX_DELIVERIES_SET_ASIDE: i64 = 5_000;
const MAX_BYTES_SET_ASIDE: i64 = 4 << 20;
/// How long a partition that is made or dropped waits for its locks: everybody else waits behind it.
const SET_LOCK_TIMEOUT: &str = "-- partition::lock_timeout\nSET LOCAL lock_timeout = '100ms'";

/// One dated partition, which is there or is to be made: `message_20261122t00`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    parent: String,
    name: String,
    from_at: DateTime<Utc>,
    to_at: DateTime<Utc>,
}

impl Partition {
    /// The table that it is a part of.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.parent
    }

    /// Reads a table's name; the default partitions have no date and are none.
    fn of(parent: &str, name: &str) -> Option<Self> {
        let start = name.strip_prefix(parent)?.strip_prefix('_')?;
        let from_at = NaiveDateTime::parse_from_str(&format!("{start}00"), "%Y%m%dt%H%M").ok()?.and_utc();
        let length = if parent == "idempotency_key" { IDEMPOTENCY_SLOT } else { TimeDelta::days(1) };
        Some(Self { parent: parent.to_owned(), name: name.to_owned(), from_at, to_at: from_at + length })
    }

    /// Of a day of messages that of deliveries, and the other way around.
    fn other_half(&self) -> Option<Self> {
        let other = match self.parent.as_str() {
            "message" => "delivery",
            "delivery" => "message",
            _ => return None,
        };
        Self::of(other, &self.name.replacen(&self.parent, other, 1))
    }
}

impl MaintenanceSession {
    /// The partitions that are missing, of yesterday to a week ahead, and of idempotency slots to two days ahead: first those
    /// that are needed first. Then those of days past of which one of messages and deliveries has its partition, because
    /// these go together.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn missing_partitions(&mut self) -> Result<Vec<Partition>, StoreError> {
        let missing = sqlx::query!(
            r#"-- partition::missing
            SELECT parent AS "parent!", name AS "name!"
            FROM (
                SELECT parent, day AS from_at
                FROM unnest(ARRAY['message', 'delivery', 'attempt']) parent,
                     generate_series(date_trunc('day', now(), 'UTC') - interval '24 hours',
                                     now() + interval '168 hours', interval '24 hours') day
                UNION ALL
                SELECT 'idempotency_key', slot
                FROM generate_series(date_bin('6 hours', now(), TIMESTAMPTZ '2000-01-01 00:00:00Z'),
                                     now() + interval '48 hours', interval '6 hours') slot
            ) wanted
            CROSS JOIN LATERAL (
                SELECT parent || '_' || to_char(from_at AT TIME ZONE 'UTC', 'YYYYMMDD"t"HH24')
            ) AS n(name)
            WHERE to_regclass(name) IS NULL
            ORDER BY abs(extract(epoch FROM from_at - now()))"#
        )
        .fetch_all(&mut self.connection)
        .await?;
        let mut missing: Vec<_> =
            missing.into_iter().filter_map(|row| Partition::of(&row.parent, &row.name)).collect();
        let there = self.partitions().await?;
        let halves = there.iter().filter_map(Partition::other_half);
        missing.extend(
            halves.filter(|half| !there.contains(half) && !missing.contains(half)).collect::<Vec<_>>(),
        );
        Ok(missing)
    }

    /// Makes a partition, and moves there what the default partition has of it. False when it was there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], also when a table stays locked by others.
    pub async fn make_partition(&mut self, partition: &Partition) -> Result<bool, StoreError> {
        self.connection.execute("BEGIN").await?;
        let made = self.make_locked(partition).await;
        self.connection.execute(if made.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
        made
    }

    async fn make_locked(&mut self, partition: &Partition) -> Result<bool, StoreError> {
        self.connection.execute(SET_LOCK_TIMEOUT).await?;
        let made = sqlx::query_scalar!(
            r#"-- partition::make
            SELECT make_partition($1, $2, $3) AS "made!""#,
            partition.parent,
            partition.from_at,
            partition.to_at
        )
        .fetch_one(&mut self.connection)
        .await?;
        Ok(made)
    }

    /// The partitions in which everything is older than `retention`, the oldest of each table first. The day of deliveries is
    /// not among them: it goes with the messages of its day.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn partitions_past(&mut self, retention: TimeDelta) -> Result<Vec<Partition>, StoreError> {
        let now = sqlx::query_scalar!(
            r#"-- maintenance::now
            SELECT now() AS "now!""#
        )
        .fetch_one(&mut self.connection)
        .await?;
        let mut past = self.partitions().await?;
        past.retain(|partition| {
            let kept = if partition.parent == "idempotency_key" { IDEMPOTENCY_KEPT } else { retention };
            partition.parent != "delivery" && now - kept >= partition.to_at
        });
        Ok(past)
    }

    /// Drops a partition that is past its retention. What still waits in a day, and what its application keeps for longer, is
    /// set aside first; a day in which that is too much stays. Returns the names of what was dropped.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], also when a table stays locked by others; it is there as it was then.
    pub async fn drop_partition(&mut self, partition: &Partition) -> Result<Vec<String>, StoreError> {
        match partition.parent.as_str() {
            "message" => self.drop_day(partition).await,
            "attempt" => self.drop_attempts(partition).await,
            _ => self.drop_alone(partition).await,
        }
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
        let Some(keepers) = self.keepers(messages.to_at).await? else { return Ok(Vec::new()) };
        let Some(needed) = self.needed(messages, &keepers).await? else { return Ok(Vec::new()) };
        // Its deliveries stand in the default partition, and nobody would find them there without their messages.
        if !self.is_there(&deliveries).await? {
            return Ok(Vec::new());
        }
        let tables = [("message", messages.name.clone(), "id"), ("delivery", deliveries, "message_id")];
        self.connection.execute("BEGIN").await?;
        let dropped = self.drop_day_locked(messages, &tables, &keepers, needed).await;
        // After an error as well: a transaction that is left open would keep its locks.
        self.connection.execute(if matches!(dropped, Ok(true)) { "COMMIT" } else { "ROLLBACK" }).await?;
        Ok(if dropped? { tables.into_iter().map(|(_, name, _)| name).collect() } else { Vec::new() })
    }

    /// The part under the lock; false when too much is needed after all.
    async fn drop_day_locked(
        &mut self,
        messages: &Partition,
        tables: &[(&str, String, &str)],
        keepers: &[Uuid],
        needed: Vec<Uuid>,
    ) -> Result<bool, StoreError> {
        self.connection.execute(SET_LOCK_TIMEOUT).await?;
        self.connection
            .execute(
                "LOCK TABLE ONLY message, ONLY delivery, message_default, delivery_default IN ACCESS EXCLUSIVE MODE",
            )
            .await?;
        // Only what was put back to work meanwhile is new, and hardly ever anything: all else was counted before the lock.
        let waiting = self.waiting(messages).await?;
        let needed = if waiting.iter().all(|id| needed.binary_search(id).is_ok()) {
            needed
        } else {
            let Some(needed) = self.needed(messages, keepers).await? else { return Ok(false) };
            needed
        };
        // The names come from the catalogue and were parsed; nothing in them needs quoting.
        for (parent, name, key) in tables {
            if !needed.is_empty() {
                self.detach(parent, name).await?;
                let set_aside = format!("INSERT INTO {parent} SELECT * FROM {name} WHERE {key} = ANY($1)");
                sqlx::query(AssertSqlSafe(set_aside)).bind(&needed).execute(&mut self.connection).await?;
            }
        }
        let names: Vec<&str> = tables.iter().map(|(_, name, _)| name.as_str()).collect();
        self.connection.execute(AssertSqlSafe(format!("DROP TABLE {}", names.join(", ")))).await?;
        Ok(true)
    }

    /// Makes a partition a table of its own, so that its rows may stand in the default partition.
    async fn detach(&mut self, parent: &str, name: &str) -> Result<(), StoreError> {
        let detach = format!("ALTER TABLE {parent} DETACH PARTITION {name}");
        self.connection.execute(AssertSqlSafe(detach)).await?;
        Ok(())
    }

    async fn is_there(&mut self, name: &str) -> Result<bool, StoreError> {
        let is_there = sqlx::query_scalar!(
            r#"-- partition::is_there
            SELECT to_regclass($1) IS NOT NULL AS "is_there!""#,
            name
        )
        .fetch_one(&mut self.connection)
        .await?;
        Ok(is_there)
    }

    /// The messages of a day of which a delivery waits in the queue, at most one more than can be set aside.
    async fn waiting(&mut self, messages: &Partition) -> Result<Vec<Uuid>, StoreError> {
        let ids = sqlx::query_scalar!(
            r#"-- partition::waiting
            WITH RECURSIVE found AS (
                (SELECT p.message_id, 1::bigint AS place FROM pending p
                 WHERE p.message_id >= uuid_at($1) AND p.message_id < uuid_at($2) ORDER BY p.message_id LIMIT 1)
                UNION ALL
                SELECT next.message_id, f.place + 1 FROM found f CROSS JOIN LATERAL (
                    SELECT p.message_id FROM pending p
                    WHERE p.message_id > f.message_id AND p.message_id < uuid_at($2)
                    ORDER BY p.message_id LIMIT 1
                ) next
                WHERE f.place <= $3
            )
            SELECT message_id AS "message_id!" FROM found"#,
            messages.from_at,
            messages.to_at,
            MAX_MESSAGES_SET_ASIDE,
        )
        .fetch_all(&mut self.connection)
        .await?;
        Ok(ids)
    }

    /// The messages of a day that wait, or that these applications keep, in order; `None` when they are too many, or too large,
    /// to be set aside in a moment.
    async fn needed(
        &mut self,
        messages: &Partition,
        keepers: &[Uuid],
    ) -> Result<Option<Vec<Uuid>>, StoreError> {
        let mut ids = self.waiting(messages).await?;
        let day = (messages.from_at, messages.to_at);
        ids.extend(self.messages_of(keepers, day, MAX_MESSAGES_SET_ASIDE).await?);
        ids.sort_unstable();
        ids.dedup();
        let size = sqlx::query!(
            r#"-- partition::size_of_needed
            SELECT coalesce((
                       SELECT sum(octet_length(m.payload)) FROM unnest($1::uuid[]) AS u(id) JOIN message m ON m.id = u.id
                   ), 0)::bigint AS "bytes!",
                   (SELECT count(*) FROM (
                       SELECT FROM unnest($1::uuid[]) AS u(id) JOIN delivery d ON d.message_id = u.id LIMIT $2::bigint + 1
                   ) AS found) AS "deliveries!""#,
            &ids,
            MAX_DELIVERIES_SET_ASIDE,
        )
        .fetch_one(&mut self.connection)
        .await?;
        let are_few = i64::try_from(ids.len()).is_ok_and(|messages| messages <= MAX_MESSAGES_SET_ASIDE)
            && size.deliveries <= MAX_DELIVERIES_SET_ASIDE
            && size.bytes <= MAX_BYTES_SET_ASIDE;
        Ok(are_few.then_some(ids))
    }

    /// Drops a day of attempts. What applications keep of it for longer is set aside first; where that is too much, the day
    /// stays. Attempts are never made in a day that is over, so nothing new is found under the lock.
    async fn drop_attempts(&mut self, day: &Partition) -> Result<Vec<String>, StoreError> {
        let Some(keepers) = self.keepers(day.to_at).await? else { return Ok(Vec::new()) };
        let bounds = (day.from_at, day.to_at);
        if keepers.is_empty() {
            return self.drop_alone(day).await;
        }
        let (most, most_bytes) = (MAX_DELIVERIES_SET_ASIDE, MAX_BYTES_SET_ASIDE);
        let Some(kept) = self.attempts_of(&keepers, bounds, most, most_bytes).await? else {
            return Ok(Vec::new());
        };
        if kept.attempts.is_empty() {
            return self.drop_alone(day).await;
        }
        self.connection.execute("BEGIN").await?;
        let dropped = self.drop_attempts_locked(&day.name, &kept).await;
        self.connection.execute(if dropped.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
        dropped.map(|()| vec![day.name.clone()])
    }

    async fn drop_attempts_locked(&mut self, name: &str, kept: &KeptAttempts) -> Result<(), StoreError> {
        self.connection.execute(SET_LOCK_TIMEOUT).await?;
        self.connection.execute("LOCK TABLE ONLY attempt, attempt_default IN ACCESS EXCLUSIVE MODE").await?;
        self.detach("attempt", name).await?;
        let set_aside = format!(
            "INSERT INTO attempt SELECT a.* FROM unnest($1::uuid[], $2::uuid[]) AS u(message_id, id)
             JOIN {name} a ON a.message_id = u.message_id AND a.id = u.id"
        );
        let statement = sqlx::query(AssertSqlSafe(set_aside)).bind(&kept.messages).bind(&kept.attempts);
        statement.execute(&mut self.connection).await?;
        self.connection.execute(AssertSqlSafe(format!("DROP TABLE {name}"))).await?;
        Ok(())
    }

    async fn drop_alone(&mut self, partition: &Partition) -> Result<Vec<String>, StoreError> {
        let drop = format!("BEGIN; {SET_LOCK_TIMEOUT}; DROP TABLE IF EXISTS {}; COMMIT", partition.name);
        if let Err(error) = self.connection.execute(sqlx::raw_sql(AssertSqlSafe(drop))).await {
            self.connection.execute("ROLLBACK").await?;
            return Err(error.into());
        }
        Ok(vec![partition.name.clone()])
    }
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
        assert_eq!(day.other_half().unwrap(), Partition::of("delivery", "delivery_20261122t00").unwrap());
        assert_eq!(day.other_half().unwrap().other_half().unwrap(), day);
        assert_eq!(slot.other_half(), None);
        assert_eq!(Partition::of("message", "message_default"), None);
        assert_eq!(Partition::of("message", "message_event_id"), None);
    }
}
