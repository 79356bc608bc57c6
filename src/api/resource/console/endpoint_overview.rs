//! Everything that an endpoint's screen shows beside the endpoint itself.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
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
use crate::domain::id::SecretId;
use crate::domain::rollup::range::Range;
use crate::domain::rollup::tally::Tally;
use crate::store::{EndpointState, LiveSecret, RollupScope};

use super::incident::{IncidentOut, shown};
use super::policies::PoliciesOut;
use super::series::{SeriesColumns, sum};
use super::shape::{LatencyOut, RangeQuery, UnderWayOut};
use super::troubles::derive;

/// What an endpoint's screen shows.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct EndpointOverviewOut {
    /// When it was read.
    as_of: DateTime<Utc>,
    /// How far back it looks.
    #[schema(value_type = String, example = "24h")]
    range: Range,
    /// The name of its application.
    app_name: String,
    /// Deliveries that arrived in the range.
    delivered: i64,
    /// Deliveries that became dead letters by an attempt, in the range.
    died: i64,
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
    /// The receiver asked to wait until then; `null` where that is not known.
    #[schema(required)]
    throttled_until: Option<DateTime<Utc>>,
}

/// Why nothing goes out to an endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct HeldBecauseOut {
    /// `endpoint_paused`, `application_paused`, `all_paused`, `disabled_by_request`, `disabled_gone` or `disabled_failing`.
    #[schema(example = "endpoint_paused")]
    code: &'static str,
    /// Since when.
    at: DateTime<Utc>,
    /// Who did it: the name of a key, or what the audit log has.
    #[schema(required)]
    by: Option<String>,
    /// When the first delivery that is held becomes a dead letter.
    #[schema(required)]
    held_until: Option<DateTime<Utc>>,
}

/// A secret, without what is secret.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct SecretOut {
    /// Its id.
    #[schema(value_type = String, example = "secret_01h455vb4pex5vsknk084sn02q")]
    id: SecretId,
    /// The prefix and the next four characters.
    #[schema(example = "whsec_C2FV")]
    hint: String,
    /// `hmac_sha256` or `ed25519`.
    #[schema(example = "hmac_sha256")]
    kind: &'static str,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// Until when it signs along; `null` for the one that signs now.
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
}

impl From<LiveSecret> for SecretOut {
    fn from(secret: LiveSecret) -> Self {
        const SHOWN_AFTER_PREFIX: usize = 4;
        let text = secret.secret.to_text();
        let shown = text.find('_').map_or(0, |at| at + 1) + SHOWN_AFTER_PREFIX;
        Self {
            id: secret.id,
            hint: text.chars().take(shown).collect(),
            kind: if secret.secret.public_text().is_some() { "ed25519" } else { "hmac_sha256" },
            created_at: secret.created_at,
            expires_at: secret.expires_at,
        }
    }
}

fn code(closed: &str) -> &'static str {
    match closed {
        "endpoint_paused" => "endpoint_paused",
        "application_paused" => "application_paused",
        "all_paused" => "all_paused",
        "disabled_gone" => "disabled_gone",
        "disabled_failing" => "disabled_failing",
        _ => "disabled_by_request",
    }
}

fn held_because(state: &ApiState, endpoint: &EndpointState) -> Option<HeldBecauseOut> {
    let (closed, at) = endpoint.closed.as_ref()?;
    let limit = TimeDelta::from_std(state.views.policies.hold_limit).ok();
    // A pause of all dispatching buries nothing.
    let ends = limit.filter(|_| closed != "all_paused");
    let first = endpoint.first_due_at.map(|due| due.max(*at));
    Some(HeldBecauseOut {
        code: code(closed),
        at: *at,
        by: endpoint.closed_by.clone(),
        held_until: first.zip(ends).and_then(|(from, limit)| from.checked_add_signed(limit)),
    })
}

fn under_way(endpoint: &EndpointState) -> Vec<UnderWayOut> {
    let kind = |kind, count, is_capped, oldest_at, next_at| UnderWayOut {
        kind,
        count,
        is_capped,
        oldest_at,
        next_at,
        endpoints: 1,
        examples: Vec::new(),
    };
    let (due, later) = (endpoint.due, endpoint.later);
    let mut kinds = vec![kind("in_flight", endpoint.claimed, false, None, None)];
    match &endpoint.closed {
        None => {
            kinds.push(kind("due", due.count, due.is_capped, endpoint.oldest_at, None));
            kinds.push(kind("retry", later.count, later.is_capped, endpoint.oldest_at, endpoint.next_at));
        }
        Some((closed, _)) => {
            let name = if closed.starts_with("disabled") { "held_disabled" } else { "held_paused" };
            let is_capped = due.is_capped || later.is_capped;
            kinds.push(kind(name, due.count + later.count, is_capped, endpoint.oldest_at, None));
        }
    }
    let dead = endpoint.dead_open;
    kinds.push(kind("dead", dead.count, dead.is_capped, endpoint.oldest_died_at, None));
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
    let endpoint =
        state.rollups.endpoint_state(environment, path.endpoint).await?.ok_or(ApiError::NotFound)?;
    let now = endpoint.now;
    let buckets = query.range.buckets(now);
    let scope = RollupScope::Endpoint(path.endpoint).uuid();
    let (mut tallies, mut gauges) = tokio::try_join!(
        state.rollups.tallies(std::slice::from_ref(&scope), &buckets),
        state.rollups.gauges(std::slice::from_ref(&scope), false, &buckets),
    )?;
    let tallies = tallies.remove(&scope).unwrap_or_else(|| vec![Tally::default(); buckets.count]);
    let gauges = gauges.remove(&scope);
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
        delivered: all.delivered.into(),
        died: all.dead.into(),
        attempts: AttemptCountsOut {
            status_2xx: all.status_2xx.into(),
            status_3xx: all.status_3xx.into(),
            status_4xx: all.status_4xx.into(),
            status_5xx: all.status_5xx.into(),
            no_response: all.no_response.into(),
        },
        under_way: under_way(&endpoint),
        latency: LatencyOut::of(&tallies, &all, |tally| &tally.receiver),
        series: SeriesColumns::of(&buckets, &tallies, gauges.as_ref(), |tally| tally.born),
        incident,
        held_because: held_because(&state, &endpoint),
        secrets: secrets.into_iter().map(Into::into).collect(),
        policies: PoliciesOut::of(&state.views.policies, &endpoint),
        app_name: endpoint.application_name,
        throttled_until: None,
    }))
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(get))
}
