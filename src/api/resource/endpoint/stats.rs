//! What became of what went to an endpoint, in a few numbers. They come from counts by the hour, so times are taken
//! as full hours, and reach back 90 days.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::moment::optional_moment;
use crate::api::error::ApiError;
use crate::api::resource::path::EndpointPath;
use crate::api::state::SharedState;
use crate::store::TimeBounds;

/// Of which time.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StatsQuery {
    /// From the hour that this lies in.
    #[serde(default, deserialize_with = "optional_moment")]
    since: Option<DateTime<Utc>>,
    /// Up to the hours that begin before this.
    #[serde(default, deserialize_with = "optional_moment")]
    until: Option<DateTime<Utc>>,
}

impl From<StatsQuery> for TimeBounds {
    fn from(query: StatsQuery) -> Self {
        Self { since: query.since, until: query.until }
    }
}

/// What became of deliveries.
#[derive(Debug, Serialize, ToSchema)]
struct EndpointStatsOut {
    /// Arrived in that time.
    success: i64,
    /// Wait now for their first attempt, of the messages from that time; counted up to a million.
    pending: i64,
    /// Were tried and wait to be tried again, or are being sent.
    sending: i64,
    /// Died in that time.
    fail: i64,
    /// Were called off in that time.
    canceled: i64,
}

/// What became of attempts.
#[derive(Debug, Serialize, ToSchema)]
struct AttemptStatsOut {
    /// Were answered 2xx in that time.
    success: i64,
    /// Were answered otherwise, or not at all.
    fail: i64,
    /// Were called off: only deliveries are.
    canceled: i64,
}

/// Count what became of the deliveries to an endpoint.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/stats", operation_id = "v1.endpoint.get-stats",
    tag = "endpoint",
    params(EndpointPath, StatsQuery),
    responses((status = 200, description = "The counts.", body = EndpointStatsOut))
)]
async fn deliveries(
    State(state): State<SharedState>,
    path: EndpointPath,
    ApiQuery(query): ApiQuery<StatsQuery>,
) -> Result<Json<EndpointStatsOut>, ApiError> {
    let bounds = query.into();
    let counts = state.history.endpoint_counts(path.endpoint, bounds).await?;
    let unended = state.history.unended_at(path.endpoint, bounds).await?;
    Ok(Json(EndpointStatsOut {
        success: counts.delivered,
        pending: unended.pending,
        sending: unended.sending,
        fail: counts.dead,
        canceled: state.history.cancelled_at(path.endpoint, bounds).await?,
    }))
}

/// Count what became of the attempts at an endpoint.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/attempt-stats",
    operation_id = "v1.endpoint.get-attempt-stats", tag = "endpoint",
    params(EndpointPath, StatsQuery),
    responses((status = 200, description = "The counts.", body = AttemptStatsOut))
)]
async fn attempts(
    State(state): State<SharedState>,
    path: EndpointPath,
    ApiQuery(query): ApiQuery<StatsQuery>,
) -> Result<Json<AttemptStatsOut>, ApiError> {
    let counts = state.history.endpoint_counts(path.endpoint, query.into()).await?;
    let fail = counts.status_3xx + counts.status_4xx + counts.status_5xx + counts.no_response;
    Ok(Json(AttemptStatsOut { success: counts.status_2xx, fail, canceled: 0 }))
}

/// The routes of this part.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(deliveries)).routes(routes!(attempts))
}
