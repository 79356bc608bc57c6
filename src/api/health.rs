//! Whether the server works, for load balancers and people. Both answer without credentials.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::SharedState;

/// A database that takes longer counts as gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthOut {
    /// Whether it can do its work.
    status: Condition,
    /// Whether the database answers.
    database: Condition,
    /// The queue from afar, when the database answers.
    queue: Option<QueueOut>,
}

/// Whether something works.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Condition {
    /// It does.
    Ok,
    /// It does not, for now.
    Unavailable,
}

/// The queue from afar.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct QueueOut {
    /// Nodes that deliver.
    live_nodes: i64,
    /// About how many deliveries wait for a retry, or for their endpoint to be enabled.
    waiting_estimate: i64,
}

/// Ask how the server is.
#[utoipa::path(
    get, path = "/api/v1/health", operation_id = "v1.health.get", tag = "health", security(()),
    responses(
        (status = 200, description = "It works.", body = HealthOut),
        (status = 503, description = "It cannot do its work for now.", body = HealthOut)
    )
)]
async fn get(State(state): State<SharedState>) -> (StatusCode, Json<HealthOut>) {
    let asked = tokio::time::timeout(PATIENCE, state.store.queue_health()).await;
    let Ok(Ok(queue)) = asked else {
        let out = HealthOut { status: Condition::Unavailable, database: Condition::Unavailable, queue: None };
        return (StatusCode::SERVICE_UNAVAILABLE, Json(out));
    };
    let queue = QueueOut { live_nodes: queue.live_nodes, waiting_estimate: queue.waiting_estimate };
    (StatusCode::OK, Json(HealthOut { status: Condition::Ok, database: Condition::Ok, queue: Some(queue) }))
}

/// Ask whether the server answers at all.
#[utoipa::path(
    get, path = "/api/v1/health/ping", operation_id = "v1.health.ping", tag = "health", security(()),
    responses((status = 204, description = "It does."))
)]
async fn ping() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(get)).routes(routes!(ping))
}
