//! The nodes that share the database.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::state::SharedState;
use crate::store::NodeRecord;

/// All nodes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"data": [{
    "name": "hooks-1:8071", "epoch": 7, "version": "0.1.0", "startedAt": "2026-11-22T10:00:00Z",
    "beatAt": "2026-11-22T10:30:00Z", "beatAgeSeconds": 1.4
}]}))]
pub(in crate::api::resource::admin) struct NodesOut {
    /// By name.
    data: Vec<NodeOut>,
}

/// A running process.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "name": "hooks-1:8071", "epoch": 7, "version": "0.1.0", "startedAt": "2026-11-22T10:00:00Z",
    "beatAt": "2026-11-22T10:30:00Z", "beatAgeSeconds": 1.4
}))]
pub(in crate::api::resource::admin) struct NodeOut {
    /// Its name.
    name: String,
    /// New at each start.
    epoch: i64,
    /// The version that it runs.
    version: String,
    /// When it started.
    started_at: DateTime<Utc>,
    /// Its last heartbeat.
    beat_at: DateTime<Utc>,
    /// How long ago that was. It beats every few seconds, and after twenty another node takes its work over.
    beat_age_seconds: f64,
}

impl From<NodeRecord> for NodeOut {
    fn from(record: NodeRecord) -> Self {
        Self {
            name: record.name,
            epoch: record.epoch,
            version: record.version,
            started_at: record.started_at,
            beat_at: record.beat_at,
            beat_age_seconds: record.beat_age_seconds,
        }
    }
}

/// List the nodes.
#[utoipa::path(
    get, path = "/api/v1/admin/node", operation_id = "v1.admin.node.list", tag = "admin",
    responses((status = 200, description = "All of them, by name.", body = NodesOut))
)]
async fn list(State(state): State<SharedState>, caller: Caller) -> Result<Json<NodesOut>, ApiError> {
    caller.operator()?;
    let nodes = state.queue.nodes().await?;
    Ok(Json(NodesOut { data: nodes.into_iter().map(Into::into).collect() }))
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(list))
}
