//! Everything that an endpoint's screen shows beside the endpoint itself.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::ApiQuery;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::path::EndpointPath;
use crate::api::resource::statistics::AttemptCountsOut;
use crate::api::state::{ApiState, SharedState};
use crate::domain::rollup::closure::Closure;
use crate::domain::rollup::range::Range;
use crate::domain::rollup::tally::Tally;
use crate::store::{Capped, EndpointState, RollupScope};

use super::incident::{IncidentOut, shown};
use super::policies::PoliciesOut;
use super::secret::SecretOut;
use super::series::{SeriesColumns, gauges_of_endpoint, sum};
use super::shape::{LatencyOut, RangeQuery, UnderWayKind, UnderWayOut};
use super::troubles::derive;

/// What an endpoint's screen shows.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct EndpointOverviewOut {
    /// When it was read.
    as_of: DateTime<Utc>,
    /// How far back it looks.
    range: Range,
    /// The name of its application.
    app_name: String,
    /// Deliveries that arrived in the range.
    delivered: u64,
    /// Deliveries that became dead letters by an attempt, in the range.
    died: u64,
    /// Attempts in the range, by what was answered.
    attempts: AttemptCountsOut,
    /// What is under way now, by kind; kinds with nothing are left out. `examples` is empty.
    under_way: Vec<UnderWayOut>,
    /// How long things took.
    latency: LatencyOut,
    /// Counts over time.
    series: SeriesColumns,
    /// What is wrong with it now.
    #[schema(required)]
    incident: Option<IncidentOut>,
    /// Why nothing goes out, if so.
    #[schema(required)]
    held_because: Option<HeldBecauseOut>,
    /// The secrets that sign, the current one first; empty for who may not see them.
    secrets: Vec<SecretOut>,
    /// What holds for it, and who says so.
    policies: PoliciesOut,
    /// The receiver asked to wait until then, and nothing is sent before; `null` where it did not.
    #[schema(required)]
    throttled_until: Option<DateTime<Utc>>,
}

/// Why nothing goes out to an endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct HeldBecauseOut {
    /// What keeps deliveries back.
    code: Closure,
    /// Since when.
    at: DateTime<Utc>,
    /// Who did it: the name of a key, or what the audit log has; `null` when Postrider did.
    #[schema(required)]
    by: Option<String>,
    /// When the first delivery that is held becomes a dead letter.
    #[schema(required)]
    held_until: Option<DateTime<Utc>>,
}

fn held_because(state: &ApiState, endpoint: &EndpointState) -> Option<HeldBecauseOut> {
    let (code, at) = endpoint.closed?;
    Some(HeldBecauseOut {
        code,
        at,
        by: endpoint.closed_by.clone(),
        held_until: state.views.policies.held_until(endpoint.held_since, endpoint.first_due_at),
    })
}

fn under_way(endpoint: &EndpointState) -> Vec<UnderWayOut> {
    let kind = |kind, count: Capped, oldest_at| UnderWayOut {
        kind,
        count: count.count,
        is_capped: count.is_capped,
        oldest_at,
        next_at: None,
        endpoints: 1,
        examples: Vec::new(),
    };
    let (due, later) = (endpoint.due, endpoint.later);
    let mut kinds = vec![kind(UnderWayKind::InFlight, endpoint.with_nodes, None)];
    match endpoint.closed {
        None => {
            kinds.push(kind(UnderWayKind::Due, due, endpoint.oldest_at));
            let retries = kind(UnderWayKind::Retry, later, endpoint.oldest_at);
            kinds.push(UnderWayOut { next_at: endpoint.next_at, ..retries });
        }
        Some((closure, _)) => {
            let held =
                if closure.is_disabled() { UnderWayKind::HeldDisabled } else { UnderWayKind::HeldPaused };
            let count =
                Capped { count: due.count + later.count, is_capped: due.is_capped || later.is_capped };
            kinds.push(kind(held, count, endpoint.oldest_at));
        }
    }
    kinds.push(kind(UnderWayKind::Dead, endpoint.dead_open, endpoint.oldest_died_at));
    kinds.retain(|kind| kind.count > 0);
    kinds
}

/// Show everything that an endpoint's screen shows beside the endpoint itself.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/overview", operation_id = "v1.endpoint.overview",
    tag = "console",
    params(EndpointPath, RangeQuery),
    responses((status = 200, description = "The overview.", body = EndpointOverviewOut))
)]
async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    path: EndpointPath,
    ApiQuery(query): ApiQuery<RangeQuery>,
) -> Result<Json<EndpointOverviewOut>, ApiError> {
    let environment = caller.environment()?;
    let endpoint = state
        .rollups
        .endpoint_state(environment, path.endpoint)
        .await?
        .ok_or(ApiError::NoSuch("endpoint"))?;
    let now = endpoint.now;
    let buckets = query.range.buckets(now);
    let scope = RollupScope::Endpoint(path.endpoint).uuid();
    let of_environment = RollupScope::Environment(environment).uuid();
    let looked_at = [scope, of_environment];
    let (mut tallies, mut gauges) = tokio::try_join!(
        state.rollups.tallies(std::slice::from_ref(&scope), &buckets),
        state.rollups.gauges(&looked_at, false, &buckets),
    )?;
    let tallies = tallies.remove(&scope).unwrap_or_else(|| vec![Tally::default(); buckets.count]);
    let gauges = gauges_of_endpoint(gauges.remove(&scope), gauges.get(&of_environment));
    let mut incidents = derive(&state, environment, Some(path.endpoint)).await?;
    incidents.truncate(1);
    let incident = shown(&state, &caller, environment, incidents, now).await?.into_iter().next();
    let secrets = if caller.lists_secrets() {
        state.configuration.live_secrets(path.endpoint).await?
    } else {
        Vec::new()
    };
    let all = sum(&tallies);
    Ok(Json(EndpointOverviewOut {
        as_of: now,
        range: query.range,
        delivered: all.delivered,
        died: all.dead,
        attempts: AttemptCountsOut::of(&all),
        under_way: under_way(&endpoint),
        latency: LatencyOut::of(&tallies, &all, |tally| &tally.receiver),
        series: SeriesColumns::of(&buckets, &tallies, gauges.as_ref(), |tally| tally.born),
        incident,
        held_because: held_because(&state, &endpoint),
        secrets: secrets.into_iter().map(Into::into).collect(),
        policies: PoliciesOut::of(&state.views.policies, &endpoint.policies),
        app_name: endpoint.application_name,
        throttled_until: endpoint.throttled_until,
    }))
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(get))
}
