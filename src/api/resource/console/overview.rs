//! Everything that the first screen shows, in one answer. Many open consoles share one that was computed within the last
//! two seconds.

use std::cmp::Reverse;
use std::collections::HashSet;

use axum::extract::State;
use axum::response::IntoResponse;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::header::CONTENT_TYPE;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::capped::CappedCount;
use crate::api::conventions::extract::ApiQuery;
use crate::api::credential::{Caller, Role};
use crate::api::error::ApiError;
use crate::api::state::{ApiState, SharedState};
use crate::domain::id::{EndpointId, EnvironmentId};
use crate::domain::rollup::range::Range;
use crate::domain::rollup::tally::Tally;
use crate::store::{EndpointCount, FoundGroup, Queued, RollupScope};

use super::incident::{IncidentOut, shown};
use super::node::NodeOut;
use super::series::{SeriesColumns, sum};
use super::shape::{EndpointCountOut, LatencyOut, RangeQuery, UnderWayKind, UnderWayOut};
use super::troubles::derive;
use super::worst::{self, WorstEndpointOut};

/// So many incidents are shown.
const INCIDENTS_SHOWN: usize = 50;
/// Dead letters under way are counted up to this.
const DEAD_COUNTED: i64 = 10_000;
/// Examples of each kind of what is under way.
const EXAMPLES: usize = 3;

/// What the first screen shows.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct OverviewOut {
    /// When it was computed.
    as_of: DateTime<Utc>,
    /// How far back it looks.
    range: Range,
    /// Since when all dispatching is paused.
    #[schema(required)]
    paused_at: Option<DateTime<Utc>>,
    /// Who paused it: the name of the key, or what the audit log has.
    #[schema(required)]
    paused_by: Option<String>,
    /// When the last delivery of the environment arrived, within the range.
    #[schema(required)]
    last_delivered_at: Option<DateTime<Utc>>,
    /// Messages over the last whole minute.
    accepted_per_second: f64,
    /// Messages in the range.
    accepted: u64,
    /// Deliveries that arrived in the range.
    delivered: u64,
    /// Attempts in the range.
    attempts: u64,
    /// Those of them that failed.
    failed_attempts: u64,
    /// Attempts that failed in the last hour.
    failed_last_hour: u64,
    /// Deliveries that became dead letters by an attempt, in the range.
    died: u64,
    /// Applications, counted up to 100,000.
    applications: CappedCount,
    /// Endpoints, counted up to 100,000.
    endpoints: CappedCount,
    /// Event types that are not archived.
    event_types: CappedCount,
    /// Background tasks under way.
    running_tasks: i64,
    /// What is under way now, by kind; kinds with nothing are left out. What waits is as the last look at the queue found
    /// it, some seconds ago.
    under_way: Vec<UnderWayOut>,
    /// How long things took.
    latency: LatencyOut,
    /// Counts over time.
    series: SeriesColumns,
    /// What is wrong, what needs somebody first; 50 at most.
    incidents: Vec<IncidentOut>,
    /// Endpoints by the share of attempts that failed in the last hour, the worst eight.
    worst_endpoints: Vec<WorstEndpointOut>,
    /// The nodes; `null` for an environment's credential.
    #[schema(required)]
    nodes: Option<Vec<NodeOut>>,
}

#[expect(clippy::cast_precision_loss, reason = "a rate need not be exact")]
fn per_second(of_a_minute: u64) -> f64 {
    of_a_minute as f64 / 60.0
}

fn under_way(queued: Vec<Queued>, caller: &Caller) -> Vec<UnderWayOut> {
    let shown = queued.into_iter().filter_map(|queued| {
        let kind = UnderWayKind::of_queued(&queued.kind)?;
        Some(UnderWayOut {
            kind,
            count: queued.count,
            is_capped: queued.is_capped,
            oldest_at: queued.oldest_at,
            next_at: queued.next_at.filter(|_| kind == UnderWayKind::Retry),
            endpoints: queued.endpoints,
            examples: queued.examples.into_iter().map(|it| EndpointCountOut::of(it, caller)).collect(),
        })
    });
    shown.collect()
}

/// Open dead letters by endpoint: the kind `dead` of what is under way.
async fn dead(
    state: &ApiState,
    caller: &Caller,
    environment: &EnvironmentId,
) -> Result<Option<UnderWayOut>, ApiError> {
    let (mut groups, (open, _)) = tokio::try_join!(
        state.rollups.find_dead_letter_groups(environment),
        state.rollups.count_open_dead_letters(environment, DEAD_COUNTED),
    )?;
    if groups.is_empty() {
        return Ok(None);
    }
    let endpoints: HashSet<EndpointId> = groups.iter().map(FoundGroup::endpoint).collect();
    let oldest_at = groups.iter().map(FoundGroup::oldest_at).min();
    groups.sort_by_key(|group| Reverse(group.count()));
    groups.truncate(EXAMPLES);
    let shown = state.rollups.show_dead_letter_groups(environment, &groups, false).await?;
    let examples = shown.into_iter().map(|group| EndpointCount { named: group.named, count: group.count });
    Ok(Some(UnderWayOut {
        kind: UnderWayKind::Dead,
        count: open.count,
        is_capped: open.is_capped,
        oldest_at,
        next_at: None,
        endpoints: i64::try_from(endpoints.len()).unwrap_or(i64::MAX),
        examples: examples.map(|it| EndpointCountOut::of(it, caller)).collect(),
    }))
}

async fn compute(
    state: &ApiState,
    caller: &Caller,
    environment: &EnvironmentId,
    range: Range,
) -> Result<Bytes, ApiError> {
    let rollups = &state.rollups;
    let scope = RollupScope::Environment(environment).uuid();
    let now = state.history.database_time().await?;
    let (buckets, last_hour) = (range.buckets(now), Range::Hour.buckets(now));
    let figures = async {
        Ok(tokio::try_join!(
            rollups.set_up(environment),
            rollups.tallies(std::slice::from_ref(&scope), &buckets),
            rollups.tallies(std::slice::from_ref(&scope), &last_hour),
            rollups.gauges(std::slice::from_ref(&scope), true, &buckets),
            rollups.dispatching_pause(),
            rollups.queued(environment),
            rollups.in_flight(environment),
        )?)
    };
    let troubles = async {
        let mut incidents = derive(state, environment, None).await?;
        incidents.truncate(INCIDENTS_SHOWN);
        shown(state, caller, environment, incidents, now).await
    };
    let (figures, incidents, worst_endpoints, dead) = tokio::try_join!(
        figures,
        troubles,
        worst::endpoints(state, caller, environment, now),
        dead(state, caller, environment),
    )?;
    let (set_up, mut tallies, mut hour, mut gauges, pause, queued, in_flight) = figures;
    let empty = |count| vec![Tally::default(); count];
    let tallies = tallies.remove(&scope).unwrap_or_else(|| empty(buckets.count));
    let hour = hour.remove(&scope).unwrap_or_else(|| empty(last_hour.count));
    let gauges = gauges.remove(&scope);
    let last_minute = hour.len().checked_sub(2).and_then(|place| hour.get(place));
    let nodes = match caller.role {
        Role::Operator => Some(rollups.nodes_seen().await?.into_iter().map(Into::into).collect()),
        Role::Environment | Role::Application => None,
    };
    let sending = (in_flight > 0).then(|| UnderWayOut {
        kind: UnderWayKind::InFlight,
        count: in_flight,
        is_capped: false,
        oldest_at: None,
        next_at: None,
        endpoints: 0,
        examples: Vec::new(),
    });
    let all = sum(&tallies);
    let overview = OverviewOut {
        as_of: now,
        range,
        paused_at: pause.as_ref().map(|pause| pause.since),
        paused_by: pause.and_then(|pause| pause.by),
        last_delivered_at: all.last_delivered_at,
        accepted_per_second: last_minute.map_or(0.0, |tally| per_second(tally.accepted)),
        accepted: all.accepted,
        delivered: all.delivered,
        attempts: all.attempts(),
        failed_attempts: all.failed(),
        failed_last_hour: sum(&hour).failed(),
        died: all.dead,
        applications: set_up.applications.into(),
        endpoints: set_up.endpoints.into(),
        event_types: set_up.event_types.into(),
        running_tasks: set_up.running_tasks,
        under_way: sending.into_iter().chain(under_way(queued, caller)).chain(dead).collect(),
        latency: LatencyOut::of(&tallies, &all, |tally| &tally.end_to_end),
        series: SeriesColumns::of(&buckets, &tallies, gauges.as_ref(), |tally| tally.accepted),
        incidents,
        worst_endpoints,
        nodes,
    };
    serde_json::to_vec(&overview).map(Bytes::from).map_err(|_| ApiError::Internal)
}

/// Show everything that the first screen shows.
///
/// It is computed once in two seconds for all who ask. An environment's credential does not see the nodes, and of
/// incidents that are our own only the kind and the beginning.
#[utoipa::path(
    get, path = "/api/v1/overview", operation_id = "v1.console.overview", tag = "console",
    params(RangeQuery),
    responses((status = 200, description = "The overview.", body = OverviewOut))
)]
async fn get(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<RangeQuery>,
) -> Result<impl IntoResponse, ApiError> {
    let environment = caller.whole_environment()?;
    let key = (environment.clone(), query.range, caller.role == Role::Operator);
    let computed = compute(&state, &caller, environment, query.range);
    let overview = state.views.overview(key, computed).await?;
    Ok(([(CONTENT_TYPE, "application/json")], overview))
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(get))
}
