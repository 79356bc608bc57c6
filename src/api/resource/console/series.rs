//! Counts over time, in columns.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::rollup::range::Buckets;
use crate::domain::rollup::tally::Tally;
use crate::store::Gauge;

/// Columns of equal length, oldest first; the last bucket is under way. Gauges are `null` in buckets without a sample.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct SeriesColumns {
    /// When the first bucket begins.
    starts_at: DateTime<Utc>,
    /// How long each is.
    bucket_seconds: i64,
    /// Messages that were accepted; for an endpoint, deliveries that were made for it.
    accepted: Vec<u32>,
    /// Attempts that were answered 2xx.
    delivered: Vec<u32>,
    /// Attempts that failed, unanswered ones included.
    failed: Vec<u32>,
    /// Of those, unanswered.
    no_response: Vec<u32>,
    /// Deliveries that became dead letters by an attempt.
    dead: Vec<u32>,
    /// Waited at the last look of each bucket.
    waiting: Vec<Option<i32>>,
    /// Were held.
    held: Vec<Option<i32>>,
    /// Open dead letters.
    dead_open: Vec<Option<i32>>,
}

impl SeriesColumns {
    pub(super) fn of(
        buckets: &Buckets,
        tallies: &[Tally],
        gauges: Option<&Vec<Option<Gauge>>>,
        accepted: impl Fn(&Tally) -> u32,
    ) -> Self {
        let column = |of: &dyn Fn(&Tally) -> u32| tallies.iter().map(of).collect();
        let gauge = |of: &dyn Fn(&Gauge) -> Option<i32>| {
            let kept = gauges.map_or(&[][..], Vec::as_slice);
            (0..buckets.count).map(|place| kept.get(place)?.as_ref().and_then(of)).collect()
        };
        Self {
            starts_at: buckets.starts_at,
            bucket_seconds: buckets.seconds,
            accepted: column(&accepted),
            delivered: column(&|tally| tally.status_2xx),
            failed: column(&Tally::failed),
            no_response: column(&|tally| tally.no_response),
            dead: column(&|tally| tally.dead),
            waiting: gauge(&|gauge| Some(gauge.waiting)),
            held: gauge(&|gauge| Some(gauge.held)),
            dead_open: gauge(&|gauge| gauge.dead_open),
        }
    }
}

/// All buckets together.
pub(super) fn sum(tallies: &[Tally]) -> Tally {
    let mut sum = Tally::default();
    tallies.iter().for_each(|tally| sum.merge(tally));
    sum
}
