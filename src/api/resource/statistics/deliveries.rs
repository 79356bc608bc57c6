//! Deliveries over time, by outcome and by the class of the answers: for an endpoint, an application, or an
//! environment. They come from counts by the hour, which are kept for 90 days.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::moment::optional_moment;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::path::{ApplicationPath, EndpointPath};
use crate::api::state::SharedState;
use crate::domain::rollup::tally::Tally;
use crate::store::{Bucket, BucketCounts, CountedScope, Counts};

/// So many buckets are shown at most.
const MOST_BUCKETS: i64 = 1_000;
/// What is shown where no beginning is given, in buckets.
const HOURS_SHOWN: i64 = 24;
const DAYS_SHOWN: i64 = 30;

/// How long a bucket is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum BucketName {
    #[default]
    Hour,
    Day,
}

impl From<BucketName> for Bucket {
    fn from(name: BucketName) -> Self {
        match name {
            BucketName::Hour => Self::Hour,
            BucketName::Day => Self::Day,
        }
    }
}

/// Of which time, in which steps.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SeriesQuery {
    /// `hour` or `day` (UTC); hours when absent.
    #[param(inline)]
    bucket: Option<BucketName>,
    /// From the bucket that this lies in; a day ago when absent, 30 days ago for `bucket=day`.
    #[serde(default, deserialize_with = "optional_moment")]
    since: Option<DateTime<Utc>>,
    /// Up to the bucket that begins before this; now when absent.
    #[serde(default, deserialize_with = "optional_moment")]
    until: Option<DateTime<Utc>>,
}

/// What ended and what was tried in a time.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CountsOut {
    /// Deliveries that arrived.
    delivered: i64,
    /// Deliveries that died.
    dead: i64,
    /// Attempts, by what was answered.
    attempts: AttemptCountsOut,
    /// How long an attempt took on average; `null` when there was none.
    average_duration_ms: Option<f64>,
}

/// Attempts, by what was answered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct AttemptCountsOut {
    /// 2xx.
    status_2xx: i64,
    /// 3xx.
    status_3xx: i64,
    /// 4xx.
    status_4xx: i64,
    /// 5xx.
    status_5xx: i64,
    /// Nothing, in time.
    no_response: i64,
}

impl AttemptCountsOut {
    /// Of what was counted by minute and half hour.
    pub(in crate::api) fn of(tally: &Tally) -> Self {
        let shown = |count| i64::try_from(count).unwrap_or(i64::MAX);
        Self {
            status_2xx: shown(tally.status_2xx),
            status_3xx: shown(tally.status_3xx),
            status_4xx: shown(tally.status_4xx),
            status_5xx: shown(tally.status_5xx),
            no_response: shown(tally.no_response),
        }
    }
}

/// One bucket.
#[derive(Debug, Serialize, ToSchema)]
struct BucketOut {
    /// When it begins.
    at: DateTime<Utc>,
    /// What was counted in it.
    #[serde(flatten)]
    counts: CountsOut,
}

/// Deliveries over time.
#[derive(Debug, Serialize, ToSchema)]
struct SeriesOut {
    /// How long a bucket is: `hour` or `day`.
    #[schema(example = "hour")]
    bucket: &'static str,
    /// Every bucket of that time, oldest first, empty ones included.
    data: Vec<BucketOut>,
    /// All of them together.
    total: CountsOut,
}

impl From<Counts> for CountsOut {
    fn from(counts: Counts) -> Self {
        let attempts = AttemptCountsOut {
            status_2xx: counts.status_2xx,
            status_3xx: counts.status_3xx,
            status_4xx: counts.status_4xx,
            status_5xx: counts.status_5xx,
            no_response: counts.no_response,
        };
        let made = counts.status_2xx
            + counts.status_3xx
            + counts.status_4xx
            + counts.status_5xx
            + counts.no_response;
        #[expect(clippy::cast_precision_loss, reason = "an average need not be exact to the last bit")]
        let average = (made > 0).then(|| counts.duration_ms as f64 / made as f64);
        Self { delivered: counts.delivered, dead: counts.dead, attempts, average_duration_ms: average }
    }
}

fn sum(buckets: &[BucketCounts]) -> Counts {
    buckets.iter().map(|bucket| bucket.counts).fold(Counts::default(), |all, one| Counts {
        delivered: all.delivered + one.delivered,
        dead: all.dead + one.dead,
        status_2xx: all.status_2xx + one.status_2xx,
        status_3xx: all.status_3xx + one.status_3xx,
        status_4xx: all.status_4xx + one.status_4xx,
        status_5xx: all.status_5xx + one.status_5xx,
        no_response: all.no_response + one.no_response,
        duration_ms: all.duration_ms + one.duration_ms,
    })
}

impl SeriesQuery {
    /// The time that is meant, by the clock that rules the counts.
    fn bounds(&self, now: DateTime<Utc>) -> Result<(DateTime<Utc>, DateTime<Utc>), ApiError> {
        let bucket = self.bucket.unwrap_or_default();
        let shown = match bucket {
            BucketName::Hour => TimeDelta::hours(HOURS_SHOWN),
            BucketName::Day => TimeDelta::days(DAYS_SHOWN),
        };
        let refused = |msg: String| Err(ApiError::invalid(&["query", "since"], msg, "value_error"));
        let until = self.until.unwrap_or(now);
        let since = match self.since {
            Some(since) => Some(since),
            None => until.checked_sub_signed(shown),
        };
        let Some(since) = since.filter(|since| *since < until) else {
            return refused("must be earlier than `until`".to_owned());
        };
        let hours = (until - since).num_hours() / i64::from(Bucket::from(bucket).hours());
        if hours >= MOST_BUCKETS {
            return refused(format!("at most {MOST_BUCKETS} buckets are shown at once"));
        }
        Ok((since, until))
    }
}

async fn series(
    state: &SharedState,
    scope: CountedScope<'_>,
    query: &SeriesQuery,
) -> Result<Json<SeriesOut>, ApiError> {
    let (since, until) = query.bounds(state.history.database_time().await?)?;
    let bucket = query.bucket.unwrap_or_default();
    let buckets = state.history.deliveries_over_time(scope, bucket.into(), since, until).await?;
    let total = sum(&buckets).into();
    let data = buckets.into_iter().map(|one| BucketOut { at: one.at, counts: one.counts.into() }).collect();
    Ok(Json(SeriesOut { bucket: Bucket::from(bucket).name(), data, total }))
}

/// Count the deliveries of the environment over time.
#[utoipa::path(
    get, path = "/api/v1/stats/deliveries", operation_id = "v1.statistics.environment-deliveries",
    tag = "statistics",
    params(SeriesQuery),
    responses((status = 200, description = "The counts, by time.", body = SeriesOut))
)]
async fn of_environment(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<SeriesQuery>,
) -> Result<Json<SeriesOut>, ApiError> {
    let environment = caller.whole_environment()?;
    series(&state, CountedScope::Environment(environment), &query).await
}

/// Count the deliveries of an application over time.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/stats/deliveries",
    operation_id = "v1.statistics.application-deliveries", tag = "statistics",
    params(ApplicationPath, SeriesQuery),
    responses((status = 200, description = "The counts, by time.", body = SeriesOut))
)]
async fn of_application(
    State(state): State<SharedState>,
    path: ApplicationPath,
    ApiQuery(query): ApiQuery<SeriesQuery>,
) -> Result<Json<SeriesOut>, ApiError> {
    series(&state, CountedScope::Application(path.application), &query).await
}

/// Count the deliveries to an endpoint over time.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/stats/deliveries",
    operation_id = "v1.statistics.endpoint-deliveries", tag = "statistics",
    params(EndpointPath, SeriesQuery),
    responses((status = 200, description = "The counts, by time.", body = SeriesOut))
)]
async fn of_endpoint(
    State(state): State<SharedState>,
    path: EndpointPath,
    ApiQuery(query): ApiQuery<SeriesQuery>,
) -> Result<Json<SeriesOut>, ApiError> {
    series(&state, CountedScope::Endpoint(path.endpoint), &query).await
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(of_environment))
        .routes(routes!(of_application))
        .routes(routes!(of_endpoint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(bucket: BucketName, since: Option<&str>, until: Option<&str>) -> SeriesQuery {
        let moment = |text: &str| text.parse().unwrap();
        SeriesQuery { bucket: Some(bucket), since: since.map(moment), until: until.map(moment) }
    }

    #[test]
    fn a_time_has_an_order_and_an_end() {
        let now: DateTime<Utc> = "2026-03-31T12:00:00Z".parse().unwrap();
        let day = query(BucketName::Hour, None, None).bounds(now).unwrap();
        assert_eq!(day, (now - TimeDelta::hours(24), now));
        let month = query(BucketName::Day, None, Some("2026-01-31T00:00:00Z")).bounds(now).unwrap();
        assert_eq!(month.1 - month.0, TimeDelta::days(30));
        for wrong in [
            query(BucketName::Hour, Some("2026-04-01T00:00:00Z"), None),
            query(BucketName::Hour, Some("2020-01-01T00:00:00Z"), None),
            query(BucketName::Day, Some("1970-01-01T00:00:00Z"), None),
        ] {
            assert!(wrong.bounds(now).is_err(), "{wrong:?}");
        }
        assert!(query(BucketName::Day, Some("2025-01-01T00:00:00Z"), None).bounds(now).is_ok());
    }

    #[test]
    fn an_average_is_over_all_attempts() {
        let counts = Counts { status_2xx: 3, no_response: 1, duration_ms: 100, ..Counts::default() };
        assert_eq!(CountsOut::from(counts).average_duration_ms, Some(25.0));
        assert_eq!(CountsOut::from(Counts::default()).average_duration_ms, None);
    }
}
