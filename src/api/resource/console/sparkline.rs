//! Small charts and counts for a page of applications or of endpoints.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::api::conventions::bounds::IDS_CHARACTERS;
use crate::api::conventions::capped::CappedCount;
use crate::api::conventions::extract::ApiQuery;
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::attempt::shown_failure;
use crate::api::resource::path::ApplicationPath;
use crate::api::state::{ApiState, SharedState};
use crate::domain::id::{ApplicationId, EndpointId, EnvironmentId};
use crate::domain::rollup::incident::FAILURES_IN_ROW;
use crate::domain::rollup::range::Range;
use crate::domain::rollup::tally::Tally;

use super::series::sum;
use super::shape::{RangeQuery, p95};

/// So many at once.
const MOST_IDS: usize = 100;

/// Of what the charts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Application,
    Endpoint,
}

/// Which ones.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct IdsQuery {
    /// Ids, separated by commas, 100 at most; unknown ones are left out.
    #[param(max_length = 3200)]
    ids: String,
}

/// Of what.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct KindQuery {
    /// `application` or `endpoint`.
    #[param(inline)]
    kind: Kind,
}

/// A small chart for each.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct SparklinesOut {
    /// When the first bucket begins.
    starts_at: DateTime<Utc>,
    /// How long each is.
    bucket_seconds: i64,
    /// In the order that was asked for.
    data: Vec<SparklineOut>,
}

/// A small chart, and counts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct SparklineOut {
    /// Of what.
    #[schema(example = "ep_01h455vb4pex5vsknk084sn02q")]
    id: String,
    /// Attempts answered 2xx, one a bucket.
    delivered: Vec<u64>,
    /// Attempts that failed, one a bucket.
    failed: Vec<u64>,
    /// All attempts of the range.
    attempts: u64,
    /// The share of those that failed; `null` without attempts.
    #[schema(required)]
    failed_share: Option<f64>,
    /// What waits.
    waiting: CappedCount,
    /// What is held.
    held: CappedCount,
    /// Open dead letters.
    dead_open: CappedCount,
    /// Of an application: its endpoints.
    #[schema(required)]
    endpoints: Option<i64>,
    /// Of an application: endpoints that fail or were disabled by their answers.
    #[schema(required)]
    failing_endpoints: Option<i64>,
    /// 95 of 100 answers took no longer, in milliseconds.
    #[schema(required)]
    p95_ms: Option<f64>,
    /// Of an endpoint: the status of the last failure in the range.
    #[schema(required)]
    last_status_code: Option<i16>,
    /// Of an endpoint: what went wrong at the last failure in the range.
    #[schema(required)]
    last_failure: Option<String>,
    /// Of an endpoint: since when it fails.
    #[schema(required)]
    failing_since: Option<DateTime<Utc>>,
}

fn parse_ids(text: &str, kind: Kind) -> Result<Vec<Uuid>, ApiError> {
    let refused = |msg: String| ApiError::invalid(&["query", "ids"], msg, "value_error");
    if text.len() > IDS_CHARACTERS {
        return Err(refused(format!("may have {IDS_CHARACTERS} characters at most")));
    }
    let texts: Vec<&str> = text.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    if texts.len() > MOST_IDS {
        return Err(refused(format!("may have {MOST_IDS} ids at most")));
    }
    let parsed = texts.into_iter().filter_map(|id| match kind {
        Kind::Application => id.parse().map(ApplicationId::uuid).ok(),
        Kind::Endpoint => id.parse().map(EndpointId::uuid).ok(),
    });
    let mut ids: Vec<Uuid> = Vec::new();
    parsed.for_each(|id| {
        if !ids.contains(&id) {
            ids.push(id);
        }
    });
    Ok(ids)
}

async fn sparklines(
    state: &ApiState,
    caller: &Caller,
    environment: &EnvironmentId,
    application: Option<ApplicationId>,
    kind: Kind,
    ids: &str,
    range: Range,
) -> Result<Json<SparklinesOut>, ApiError> {
    let are_endpoints = kind == Kind::Endpoint;
    let asked = parse_ids(ids, kind)?;
    let rollups = &state.rollups;
    let only = application.map(ApplicationId::uuid);
    let ids = rollups.known_among(environment, only, &asked, are_endpoints).await?;
    let now = state.history.database_time().await?;
    let buckets = range.buckets(now);
    let dead_open = async {
        if are_endpoints {
            rollups.dead_open_of(environment, &ids).await
        } else {
            rollups.dead_open_of_applications(environment, &ids).await
        }
    };
    let (mut tallies, under_way, dead_open, health) = tokio::try_join!(
        rollups.tallies(&ids, &buckets),
        rollups.under_way_of(&ids, are_endpoints),
        dead_open,
        async { if are_endpoints { rollups.health_of(&ids).await } else { Ok(HashMap::new()) } },
    )?;
    let shape = |id: Uuid| {
        let tallies = tallies.remove(&id).unwrap_or_else(|| vec![Tally::default(); buckets.count]);
        let all = sum(&tallies);
        let waits = under_way.get(&id).copied().unwrap_or_default();
        let health = health.get(&id);
        let failed = health.filter(|health| health.last_failed_at >= buckets.starts_at);
        SparklineOut {
            id: if are_endpoints {
                EndpointId::from(id).to_string()
            } else {
                ApplicationId::from(id).to_string()
            },
            delivered: tallies.iter().map(|tally| tally.status_2xx).collect(),
            failed: tallies.iter().map(Tally::failed).collect(),
            attempts: all.attempts(),
            failed_share: all.failed_share(),
            waiting: waits.waiting.into(),
            held: waits.held.into(),
            dead_open: dead_open.get(&id).copied().unwrap_or_default().into(),
            endpoints: (!are_endpoints).then_some(waits.endpoints),
            failing_endpoints: (!are_endpoints).then_some(waits.troubled),
            p95_ms: p95(&all.receiver),
            last_status_code: failed.and_then(|health| health.last_status),
            last_failure: failed.map(|health| shown_failure(caller, health.last_failure.clone())),
            failing_since: health
                .filter(|health| health.failed_in_row >= FAILURES_IN_ROW)
                .and_then(|health| health.failing_since),
        }
    };
    let data = ids.iter().copied().map(shape).collect();
    Ok(Json(SparklinesOut { starts_at: buckets.starts_at, bucket_seconds: buckets.seconds, data }))
}

/// Show small charts and counts for a page of applications or of endpoints.
#[utoipa::path(
    get, path = "/api/v1/stats/sparklines", operation_id = "v1.statistics.sparklines", tag = "statistics",
    params(KindQuery, IdsQuery, RangeQuery),
    responses((status = 200, description = "One for each.", body = SparklinesOut))
)]
async fn of_environment(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(kind): ApiQuery<KindQuery>,
    ApiQuery(query): ApiQuery<IdsQuery>,
    ApiQuery(range): ApiQuery<RangeQuery>,
) -> Result<Json<SparklinesOut>, ApiError> {
    let environment = caller.whole_environment()?;
    sparklines(&state, &caller, environment, None, kind.kind, &query.ids, range.range).await
}

/// Show small charts and counts for a page of an application's endpoints.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/stats/sparklines", operation_id = "v1.statistics.application-sparklines",
    tag = "statistics",
    params(ApplicationPath, IdsQuery, RangeQuery),
    responses((status = 200, description = "One for each.", body = SparklinesOut))
)]
async fn of_application(
    State(state): State<SharedState>,
    caller: Caller,
    path: ApplicationPath,
    ApiQuery(query): ApiQuery<IdsQuery>,
    ApiQuery(range): ApiQuery<RangeQuery>,
) -> Result<Json<SparklinesOut>, ApiError> {
    let environment = caller.environment()?;
    let own = Some(path.application);
    sparklines(&state, &caller, environment, own, Kind::Endpoint, &query.ids, range.range).await
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(of_environment)).routes(routes!(of_application))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_a_hundred_at_most_each_once_and_what_is_none_is_left_out() {
        let id = EndpointId::generate();
        let ids = parse_ids(&format!("{id}, nobody,{id},,{}", ApplicationId::generate()), Kind::Endpoint);
        assert_eq!(ids.unwrap(), [id.uuid()]);
        let many = |count: usize| {
            (0..count).map(|_| EndpointId::generate().to_string()).collect::<Vec<_>>().join(",")
        };
        assert_eq!(parse_ids(&many(100), Kind::Endpoint).unwrap().len(), 100);
        assert!(parse_ids(&many(101), Kind::Endpoint).is_err());
        assert!(parse_ids(&"x".repeat(3_201), Kind::Application).is_err());
    }
}
