//! The shapes that several views of the console have in common.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::credential::Caller;
use crate::domain::id::{ApplicationId, EndpointId};
use crate::domain::rollup::histogram::{self, Histogram};
use crate::domain::rollup::range::Range;
use crate::domain::rollup::tally::Tally;
use crate::store::{EndpointCount, NamedEndpoint};

/// How far back, from now.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RangeQuery {
    /// How far back, from now: `1h`, `3h`, `24h` (the default), `7d` or `30d`.
    #[serde(default)]
    #[param(inline, required = false)]
    pub(super) range: Range,
}

/// In milliseconds; all `null` where there was nothing.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"p50Ms": 41.5, "p95Ms": 230.0, "p99Ms": 900.25}))]
pub(in crate::api) struct Percentiles {
    /// Half took no longer.
    #[schema(required)]
    p50_ms: Option<f64>,
    /// 95 of 100 took no longer.
    #[schema(required)]
    p95_ms: Option<f64>,
    /// 99 of 100 took no longer.
    #[schema(required)]
    p99_ms: Option<f64>,
}

/// To the hundredth of a millisecond; buckets are coarser.
fn rounded(ms: f64) -> f64 {
    (ms * 100.0).round() / 100.0
}

/// The 95th percentile, in milliseconds.
pub(super) fn p95(histogram: &Histogram) -> Option<f64> {
    histogram.percentile(0.95).map(rounded)
}

impl From<&Histogram> for Percentiles {
    fn from(histogram: &Histogram) -> Self {
        histogram.percentiles().map_or_else(
            Self::default,
            |histogram::Percentiles { p50_ms, p95_ms, p99_ms }| {
                let shown = |ms| Some(rounded(ms));
                Self { p50_ms: shown(p50_ms), p95_ms: shown(p95_ms), p99_ms: shown(p99_ms) }
            },
        )
    }
}

/// How long things took.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct LatencyOut {
    /// From accepted to delivered, for deliveries that arrived at their first attempt.
    end_to_end: Percentiles,
    /// From a request to its answer.
    receiver: Percentiles,
    /// From accepted to the first request, for deliveries that never waited in the queue.
    own: Percentiles,
    /// One a bucket: of `endToEnd` in the overview, of `receiver` for an endpoint.
    series: Vec<Percentiles>,
}

impl LatencyOut {
    /// Of all buckets together, and of `chosen` in each of them.
    pub(super) fn of(tallies: &[Tally], sum: &Tally, chosen: impl Fn(&Tally) -> &Histogram) -> Self {
        Self {
            end_to_end: (&sum.end_to_end).into(),
            receiver: (&sum.receiver).into(),
            own: (&sum.own).into(),
            series: tallies.iter().map(|tally| chosen(tally).into()).collect(),
        }
    }
}

/// Kinds of what is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::api) enum UnderWayKind {
    /// Requests that are out. Of an endpoint: those of deliveries that waited in the queue.
    InFlight,
    /// Due now.
    Due,
    /// Due later.
    Retry,
    /// Held at endpoints that are disabled.
    HeldDisabled,
    /// Held at endpoints that are paused, or whose applications are, or because everything is.
    HeldPaused,
    /// Dead letters that nobody has dealt with.
    Dead,
}

impl UnderWayKind {
    /// Of what waits, as [`crate::store::Queued::kind`] names it.
    pub(super) fn of_queued(name: &str) -> Option<Self> {
        match name {
            "due" => Some(Self::Due),
            "retry" => Some(Self::Retry),
            "held_disabled" => Some(Self::HeldDisabled),
            "held_paused" => Some(Self::HeldPaused),
            _ => None,
        }
    }
}

/// What is under way now, of one kind.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct UnderWayOut {
    /// Of which kind.
    pub(super) kind: UnderWayKind,
    /// So many; each endpoint is counted up to a bound.
    pub(super) count: i64,
    /// There are at least so many.
    pub(super) is_capped: bool,
    /// When the oldest was accepted, of those that are due first at their endpoints; when the oldest died.
    #[schema(required)]
    pub(super) oldest_at: Option<DateTime<Utc>>,
    /// For `retry`: when the next goes.
    #[schema(required)]
    pub(super) next_at: Option<DateTime<Utc>>,
    /// At so many endpoints; 0 where that is not known, as of requests that are out.
    pub(super) endpoints: i64,
    /// The three endpoints with most.
    pub(super) examples: Vec<EndpointCountOut>,
}

/// An endpoint with how much of something it has.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct EndpointCountOut {
    /// Its application.
    #[schema(value_type = String)]
    app_id: ApplicationId,
    /// The application's name.
    app_name: String,
    /// Its id.
    #[schema(value_type = String)]
    endpoint_id: EndpointId,
    /// Where it is.
    url: String,
    /// So many.
    count: i64,
    /// There are at least so many.
    is_capped: bool,
}

impl EndpointCountOut {
    pub(super) fn of(example: EndpointCount, caller: &Caller) -> Self {
        let NamedEndpoint { application_id, application_name, endpoint_id, url } = example.named;
        Self {
            app_id: application_id,
            app_name: application_name,
            endpoint_id,
            url: caller.shown_url(url),
            count: example.count.count,
            is_capped: example.count.is_capped,
        }
    }
}
