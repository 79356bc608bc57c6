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
    accepted: Vec<u64>,
    /// Attempts that were answered 2xx.
    delivered: Vec<u64>,
    /// Attempts that failed, unanswered ones included.
    failed: Vec<u64>,
    /// Of those, unanswered.
    no_response: Vec<u64>,
    /// Deliveries that became dead letters by an attempt.
    dead: Vec<u64>,
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
        accepted: impl Fn(&Tally) -> u64,
    ) -> Self {
        let column = |of: &dyn Fn(&Tally) -> u64| tallies.iter().map(of).collect();
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

/// The gauges of an endpoint. It has none for steps in which nothing waited for it: those of its environment say whether
/// somebody looked.
pub(super) fn gauges_of_endpoint(
    own: Option<Vec<Option<Gauge>>>,
    environment: Option<&Vec<Option<Gauge>>>,
) -> Option<Vec<Option<Gauge>>> {
    let Some(looks) = environment else { return own };
    let mut own = own.unwrap_or_default();
    own.resize(looks.len(), None);
    for (gauge, look) in own.iter_mut().zip(looks) {
        if look.is_some() {
            gauge.get_or_insert_default();
        }
    }
    Some(own)
}

/// All buckets together.
pub(super) fn sum(tallies: &[Tally]) -> Tally {
    let mut sum = Tally::default();
    tallies.iter().for_each(|tally| sum.merge(tally));
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_waited_for_an_endpoint_when_somebody_looked_and_found_none() {
        let some = |waiting| Some(Gauge { waiting, held: 0, dead_open: Some(7) });
        let own = vec![None, Some(Gauge { waiting: 3, held: 1, dead_open: None }), None];
        let environment = vec![some(1), some(4), None];
        let shown = gauges_of_endpoint(Some(own.clone()), Some(&environment)).unwrap();
        assert_eq!(shown, [Some(Gauge::default()), own[1], None]);
        assert_eq!(gauges_of_endpoint(None, Some(&environment)).unwrap()[0], Some(Gauge::default()));
        assert_eq!(gauges_of_endpoint(None, None), None);
    }
}
