//! The nodes that share the database, as operators see them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::rollup::node_state::NodeState;
use crate::store::NodeSeen;

/// A process that runs, or stopped within the last day.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "name": "hooks-1:8071", "epoch": 7, "version": "0.1.0", "startedAt": "2026-11-22T10:00:00Z",
    "beatAt": "2026-11-22T10:30:00Z", "beatAgeSeconds": 1.4, "state": "running", "roles": ["api", "dispatcher"],
    "inFlight": 12, "sentPerSecond": 41.5, "takenOverBy": null
}))]
pub(in crate::api) struct NodeOut {
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
    /// How long ago that was. It beats every second, and after twenty another node takes its work over.
    beat_age_seconds: f64,
    /// `running`, `silent` (no heartbeat for five seconds) or `stopped` (for twenty, or its work was taken over, or it
    /// stopped by itself). Stopped ones are listed for a day.
    state: NodeState,
    /// Its roles.
    roles: Vec<String>,
    /// Requests under way.
    #[schema(required)]
    in_flight: Option<i32>,
    /// Over the last whole minute.
    #[schema(required)]
    sent_per_second: Option<f64>,
    /// The node that took its work over.
    #[schema(required)]
    taken_over_by: Option<String>,
}

impl From<NodeSeen> for NodeOut {
    fn from(node: NodeSeen) -> Self {
        Self {
            name: node.name,
            epoch: node.epoch,
            version: node.version,
            started_at: node.started_at,
            beat_at: node.beat_at,
            beat_age_seconds: node.beat_age_seconds,
            state: node.state,
            roles: node.roles,
            in_flight: node.in_flight,
            sent_per_second: node.sent_per_second,
            taken_over_by: node.taken_over_by,
        }
    }
}
