//! The nodes that share the database.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::credential::Caller;
use crate::api::error::ApiError;
use crate::api::resource::console::NodeOut;
use crate::api::state::SharedState;

/// All nodes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"data": [{
    "name": "hooks-1:8071", "epoch": 7, "version": "0.1.0", "startedAt": "2026-11-22T10:00:00Z",
    "beatAt": "2026-11-22T10:30:00Z", "beatAgeSeconds": 1.4, "state": "running", "roles": ["api", "dispatcher"],
    "inFlight": 12, "sentPerSecond": 41.5, "takenOverBy": null
}]}))]
pub(in crate::api::resource::admin) struct NodesOut {
    /// By name.
    data: Vec<NodeOut>,
}

/// List the nodes.
#[utoipa::path(
    get, path = "/api/v1/admin/node", operation_id = "v1.admin.node.list", tag = "admin",
    responses((status = 200, description = "All of them, by name.", body = NodesOut))
)]
async fn list(State(state): State<SharedState>, caller: Caller) -> Result<Json<NodesOut>, ApiError> {
    caller.operator()?;
    let nodes = state.rollups.nodes_seen().await?;
    Ok(Json(NodesOut { data: nodes.into_iter().map(Into::into).collect() }))
}

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(list))
}
