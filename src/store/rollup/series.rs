//! Reading rollups: what was counted in each bucket of a range, by scope. The longest steps that are fine enough are read as
//! far as shorter ones were added up into them, and shorter ones from there on.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::rollup::range::Buckets;
use crate::domain::rollup::tally::Tally;
use crate::store::StoreError;

use super::RollupStore;
use super::write::{HALF_HOUR, MINUTE, THREE_HOURS};

/// One tally a bucket.
pub type Tallies = Vec<Tally>;

/// What waited, in the last look of each bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gauge {
    /// Waited to be sent.
    pub waiting: i32,
    /// Was held.
    pub held: i32,
    /// Dead letters that nobody has dealt with.
    pub dead_open: Option<i32>,
}

/// A row of a rollup, as it is stored.
pub(in crate::store) struct StoredTally {
    pub(in crate::store) scope: Uuid,
    pub(in crate::store) at: DateTime<Utc>,
    pub(in crate::store) accepted: i32,
    pub(in crate::store) accepted_bytes: i64,
    pub(in crate::store) born: i32,
    pub(in crate::store) delivered: i32,
    pub(in crate::store) dead: i32,
    pub(in crate::store) status_2xx: i32,
    pub(in crate::store) status_3xx: i32,
    pub(in crate::store) status_4xx: i32,
    pub(in crate::store) status_5xx: i32,
    pub(in crate::store) no_response: i32,
    pub(in crate::store) own: Option<Vec<u8>>,
    pub(in crate::store) receiver: Option<Vec<u8>>,
    pub(in crate::store) end_to_end: Option<Vec<u8>>,
    pub(in crate::store) last_delivered_at: Option<DateTime<Utc>>,
}

impl StoredTally {
    /// Adds it to a tally.
    pub(in crate::store) fn add_to(&self, tally: &mut Tally) {
        let counts = Tally {
            accepted: self.accepted.unsigned_abs().into(),
            accepted_bytes: self.accepted_bytes.unsigned_abs(),
            born: self.born.unsigned_abs().into(),
            delivered: self.delivered.unsigned_abs().into(),
            dead: self.dead.unsigned_abs().into(),
            status_2xx: self.status_2xx.unsigned_abs().into(),
            status_3xx: self.status_3xx.unsigned_abs().into(),
            status_4xx: self.status_4xx.unsigned_abs().into(),
            status_5xx: self.status_5xx.unsigned_abs().into(),
            no_response: self.no_response.unsigned_abs().into(),
            last_delivered_at: self.last_delivered_at,
            ..Tally::default()
        };
        tally.merge(&counts);
        tally.own.merge_bytes(self.own.as_deref().unwrap_or_default());
        tally.receiver.merge_bytes(self.receiver.as_deref().unwrap_or_default());
        tally.end_to_end.merge_bytes(self.end_to_end.as_deref().unwrap_or_default());
    }
}

impl RollupStore {
    /// What was counted in each bucket, for each of these scopes. Those that have nothing are left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn tallies(
        &self,
        scopes: &[Uuid],
        buckets: &Buckets,
    ) -> Result<HashMap<Uuid, Tallies>, StoreError> {
        let rows = sqlx::query_as!(
            StoredTally,
            r#"-- rollup::read
            SELECT r.scope AS "scope!", r.at AS "at!", r.accepted AS "accepted!",
                   r.accepted_bytes AS "accepted_bytes!", r.born AS "born!",
                   r.delivered AS "delivered!", r.dead AS "dead!", r.status_2xx AS "status_2xx!",
                   r.status_3xx AS "status_3xx!", r.status_4xx AS "status_4xx!", r.status_5xx AS "status_5xx!",
                   r.no_response AS "no_response!", r.own, r.receiver, r.end_to_end, r.last_delivered_at
            FROM (
                SELECT CASE WHEN $6 THEN greatest($2, three_hours_until) ELSE $2 END AS half_hours_from,
                       CASE WHEN $7 THEN greatest($2, folded_until) ELSE $2 END AS minutes_from
                FROM rollup_fold
            ) f CROSS JOIN unnest($1::uuid[]) AS asked(scope) CROSS JOIN LATERAL (
                SELECT t.* FROM rollup t
                WHERE t.scope = asked.scope AND t.step = $5 AND t.at >= $2 AND t.at < f.half_hours_from
                UNION ALL
                SELECT h.* FROM rollup h
                WHERE h.scope = asked.scope AND h.step = $4 AND h.at >= f.half_hours_from AND h.at < f.minutes_from
                UNION ALL
                SELECT m.* FROM rollup m
                WHERE m.scope = asked.scope AND m.step = $3 AND m.at >= f.minutes_from
            ) r"#,
            scopes,
            buckets.starts_at,
            MINUTE,
            HALF_HOUR,
            THREE_HOURS,
            buckets.consist_of(THREE_HOURS.into()),
            buckets.consist_of(HALF_HOUR.into()),
        )
        .fetch_all(&self.reading)
        .await?;
        let mut found: HashMap<Uuid, Tallies> = HashMap::new();
        for row in rows {
            let Some(place) = buckets.place_of(row.at) else { continue };
            let tallies = found.entry(row.scope).or_insert_with(|| vec![Tally::default(); buckets.count]);
            tallies.get_mut(place).into_iter().for_each(|tally| row.add_to(tally));
        }
        Ok(found)
    }

    /// What one process counted in each bucket, for a scope: attempts alone.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn attempts_by(
        &self,
        scope: Uuid,
        writer: i64,
        buckets: &Buckets,
    ) -> Result<Vec<u64>, StoreError> {
        let rows = sqlx::query!(
            r#"-- rollup::attempts_by
            SELECT at, (status_2xx + status_3xx + status_4xx + status_5xx + no_response)::bigint AS "attempts!"
            FROM rollup WHERE scope = $1 AND step = $2 AND at >= $3 AND writer = $4"#,
            scope,
            MINUTE,
            buckets.starts_at,
            writer,
        )
        .fetch_all(&self.reading)
        .await?;
        let mut series = vec![0; buckets.count];
        for row in rows {
            let place = buckets.place_of(row.at).and_then(|place| series.get_mut(place));
            place.into_iter().for_each(|sum: &mut u64| *sum += row.attempts.unsigned_abs());
        }
        Ok(series)
    }

    /// What waited, in the last look of each bucket, for each of these scopes; `None` where none was kept.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn gauges(
        &self,
        scopes: &[Uuid],
        by_minute: bool,
        buckets: &Buckets,
    ) -> Result<HashMap<Uuid, Vec<Option<Gauge>>>, StoreError> {
        let rows = sqlx::query!(
            r#"-- rollup_gauge::read
            SELECT scope, at, waiting, held, dead_open FROM rollup_gauge
            WHERE scope = ANY($1) AND step = $2 AND at >= $3 ORDER BY scope, at"#,
            scopes,
            if by_minute && !buckets.consist_of(HALF_HOUR.into()) { MINUTE } else { HALF_HOUR },
            buckets.starts_at,
        )
        .fetch_all(&self.reading)
        .await?;
        let mut found: HashMap<Uuid, Vec<Option<Gauge>>> = HashMap::new();
        for row in rows {
            let series = found.entry(row.scope).or_insert_with(|| vec![None; buckets.count]);
            if let Some(place) = buckets.place_of(row.at).and_then(|place| series.get_mut(place)) {
                *place = Some(Gauge { waiting: row.waiting, held: row.held, dead_open: row.dead_open });
            }
        }
        Ok(found)
    }
}
