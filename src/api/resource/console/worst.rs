//! Which endpoints do worst: by the share of attempts that failed in the last hour.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::conventions::capped::CappedCount;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::ApiState;
use crate::domain::id::{ApplicationId, EndpointId, EnvironmentId};
use crate::domain::rollup::range::Range;
use crate::domain::rollup::tally::Tally;
use crate::store::FailedLately;

use super::series::sum;
use super::shape::p95;

/// So many are shown.
const SHOWN: usize = 8;

/// An endpoint that does badly.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct WorstEndpointOut {
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
    /// The share of attempts that failed in the last hour, 0 to 1.
    failed_share: f64,
    /// The same of the last day in 48 buckets of half an hour; `null` where nothing was sent.
    failed_shares: Vec<Option<f64>>,
    /// The status of the last failure.
    #[schema(required)]
    last_status_code: Option<i16>,
    /// What went wrong the last time.
    #[schema(required)]
    last_failure: Option<String>,
    /// 95 of 100 answers of the last hour took no longer, in milliseconds.
    #[schema(required)]
    p95_ms: Option<f64>,
    /// What waits for it.
    waiting: CappedCount,
    /// Open dead letters.
    dead_open: CappedCount,
}

/// Those that do worst, the worst first.
pub(super) async fn endpoints(
    state: &ApiState,
    caller: &Caller,
    environment: &EnvironmentId,
    now: DateTime<Utc>,
) -> Result<Vec<WorstEndpointOut>, ApiError> {
    let failed = state.rollups.failed_lately(environment).await?;
    let scopes: Vec<Uuid> = failed.iter().map(|it| it.named.endpoint_id.uuid()).collect();
    let lately = state.rollups.tallies(&scopes, &Range::Hour.buckets(now)).await?;
    let mut judged: Vec<(FailedLately, Tally, f64)> = Vec::new();
    for endpoint in failed {
        let tally =
            lately.get(&endpoint.named.endpoint_id.uuid()).map(|tallies| sum(tallies)).unwrap_or_default();
        if let Some(share) = tally.failed_share().filter(|share| *share > 0.0) {
            judged.push((endpoint, tally, share));
        }
    }
    judged.sort_by(|(_, one, a), (_, two, b)| b.total_cmp(a).then(two.failed().cmp(&one.failed())));
    judged.truncate(SHOWN);
    let scopes: Vec<Uuid> = judged.iter().map(|(it, ..)| it.named.endpoint_id.uuid()).collect();
    let day = Range::Day.buckets(now);
    let (shares, dead) = tokio::try_join!(
        state.rollups.tallies(&scopes, &day),
        state.rollups.dead_open_of(environment, &scopes)
    )?;
    let shown = judged.into_iter().map(|(endpoint, tally, failed_share)| {
        let scope = endpoint.named.endpoint_id.uuid();
        let of_day = shares.get(&scope).map(|tallies| tallies.iter().map(Tally::failed_share).collect());
        WorstEndpointOut {
            app_id: endpoint.named.application_id,
            app_name: endpoint.named.application_name,
            endpoint_id: endpoint.named.endpoint_id,
            url: caller.shown_url(endpoint.named.url),
            failed_share,
            failed_shares: of_day.unwrap_or_else(|| vec![None; day.count]),
            last_status_code: endpoint.last_status,
            last_failure: Some(endpoint.last_failure),
            p95_ms: p95(&tally.receiver),
            waiting: endpoint.waiting.into(),
            dead_open: dead.get(&scope).copied().unwrap_or_default().into(),
        }
    });
    Ok(shown.collect())
}
