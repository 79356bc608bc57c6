//! What waits in the queue: retries, what is held, what found no room in memory, and replays. First attempts that are
//! in the memory of a node do not wait here.
//!
//! Counts are bounded, so that a backlog of any size can be looked at: where a count has come to its bound, it says so.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::conventions::extract::ApiQuery;
use crate::api::conventions::page::{ListOut, Ordering, PlainPageQuery};
use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::SharedState;
use crate::domain::id::{ApplicationId, EndpointId, EnvironmentId};
use crate::store::{EndpointQueue, TenantQueue};

/// No count of one endpoint goes further.
const COUNTED_PER_ENDPOINT: i64 = 1_000;
/// The tenants' overview looks at so many endpoints.
const ENDPOINTS_COUNTED: i64 = 1_000;

/// What waits for an endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "endpointId": "ep_01h455vb4pex5vsknk084sn02q", "url": "https://example.com/webhooks",
    "appId": "app_01h455vb4pex5vsknk084sn02q", "appName": "Example Ltd",
    "environmentId": "org_demo", "disabled": false, "paused": false, "waiting": 1000, "due": 12, "isCapped": true,
    "oldestDueAt": "2026-11-22T10:00:00Z", "oldestAgeSeconds": 32.5
}))]
pub(in crate::api::resource::admin) struct EndpointQueueOut {
    /// The endpoint.
    #[schema(value_type = String)]
    endpoint_id: EndpointId,
    /// Where it is.
    url: String,
    /// Its application.
    #[schema(value_type = String)]
    app_id: ApplicationId,
    /// What that is called.
    app_name: String,
    /// Its environment.
    environment_id: String,
    /// Whether it is disabled, so that they are held.
    disabled: bool,
    /// Whether it is paused, or its application is, or everything, so that they are held.
    paused: bool,
    /// Deliveries that wait, a thousand at most.
    waiting: i64,
    /// Those of them that are due, a thousand at most.
    due: i64,
    /// Whether there are more than were counted.
    is_capped: bool,
    /// When the first of them is due, or was.
    oldest_due_at: DateTime<Utc>,
    /// For how long the first of them has been due; 0 when it is not due yet.
    oldest_age_seconds: f64,
}

/// What waits for a tenant.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "appId": "app_01h455vb4pex5vsknk084sn02q", "appName": "Example Ltd", "environmentId": "org_demo",
    "endpoints": 2, "waiting": 1003, "due": 12, "isCapped": true, "oldestDueAt": "2026-11-22T10:00:00Z", "oldestAgeSeconds": 32.5
}))]
pub(in crate::api::resource::admin) struct TenantQueueOut {
    /// The application.
    #[schema(value_type = String)]
    app_id: ApplicationId,
    /// What it is called.
    app_name: String,
    /// Its environment.
    environment_id: String,
    /// How many of its endpoints have something waiting.
    endpoints: i64,
    /// Deliveries that wait, a thousand for each endpoint at most.
    waiting: i64,
    /// Those of them that are due.
    due: i64,
    /// Whether an endpoint has more than were counted.
    is_capped: bool,
    /// When the first of them is due, or was.
    oldest_due_at: DateTime<Utc>,
    /// For how long the first of them has been due; 0 when it is not due yet.
    oldest_age_seconds: f64,
}

/// What waits, by tenant.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"data": [], "endpointsCounted": 0, "isCapped": false}))]
pub(in crate::api::resource::admin) struct TenantQueuesOut {
    /// The tenants for whom most waits come first.
    data: Vec<TenantQueueOut>,
    /// So many endpoints have something waiting, a thousand at most.
    endpoints_counted: i64,
    /// Whether there are more endpoints than were counted.
    is_capped: bool,
}

impl From<EndpointQueue> for EndpointQueueOut {
    fn from(queue: EndpointQueue) -> Self {
        Self {
            endpoint_id: queue.endpoint_id,
            url: queue.url,
            app_id: queue.application_id,
            app_name: queue.application_name,
            environment_id: queue.environment_id,
            disabled: queue.disabled,
            paused: queue.paused,
            waiting: queue.waiting.min(COUNTED_PER_ENDPOINT),
            due: queue.due.min(COUNTED_PER_ENDPOINT),
            is_capped: queue.waiting > COUNTED_PER_ENDPOINT,
            oldest_due_at: queue.oldest_due_at,
            oldest_age_seconds: queue.oldest_age_seconds,
        }
    }
}

impl From<TenantQueue> for TenantQueueOut {
    fn from(queue: TenantQueue) -> Self {
        Self {
            app_id: queue.application_id,
            app_name: queue.application_name,
            environment_id: queue.environment_id,
            endpoints: queue.endpoints,
            waiting: queue.waiting,
            due: queue.due,
            is_capped: queue.is_capped,
            oldest_due_at: queue.oldest_due_at,
            oldest_age_seconds: queue.oldest_age_seconds,
        }
    }
}

/// List what waits, by endpoint.
#[utoipa::path(
    get, path = "/api/v1/admin/queue/endpoint", operation_id = "v1.admin.queue.endpoints", tag = "admin",
    params(PlainPageQuery),
    responses(
        (
        status = 200, description = "A page of the endpoints that have something waiting, by id.",
        body = ListOut<EndpointQueueOut>
    )
    )
)]
async fn by_endpoint(
    State(state): State<SharedState>,
    caller: Caller,
    ApiQuery(query): ApiQuery<PlainPageQuery>,
) -> Result<Json<ListOut<EndpointQueueOut>>, ApiError> {
    caller.operator()?;
    let page = query.request::<EndpointId>(Ordering::Ascending)?;
    let rows = state.history.queue_by_endpoint(&page.scan, COUNTED_PER_ENDPOINT).await?;
    Ok(Json(page.answer(rows, |row| row.endpoint_id.to_string(), Into::into)))
}

/// Tell what waits, by tenant.
#[utoipa::path(
    get, path = "/api/v1/admin/queue/app", operation_id = "v1.admin.queue.applications", tag = "admin",
    responses((status = 200, description = "The tenants that have something waiting.", body = TenantQueuesOut))
)]
async fn by_tenant(
    State(state): State<SharedState>,
    caller: Caller,
) -> Result<Json<TenantQueuesOut>, ApiError> {
    let environment: Option<&EnvironmentId> = caller.operator()?;
    let rows = state.history.queue_by_tenant(environment, ENDPOINTS_COUNTED, COUNTED_PER_ENDPOINT).await?;
    let endpoints_counted = rows.endpoints.min(ENDPOINTS_COUNTED);
    let is_capped = rows.endpoints > ENDPOINTS_COUNTED;
    let data = rows.tenants.into_iter().map(Into::into).collect();
    Ok(Json(TenantQueuesOut { data, endpoints_counted, is_capped }))
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(by_endpoint)).routes(routes!(by_tenant))
}
