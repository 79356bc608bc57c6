//! Whether the server works, for load balancers and people. Both answer without credentials.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::state::SharedState;
use crate::node_health::{NodeHealth, Progress};

/// A database that takes longer counts as gone.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);

/// A part of this node that has not got on for so long cannot do its work.
const STALLED_AFTER: Duration = Duration::from_secs(4);

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthOut {
    /// Whether this node can do its work: accept, deliver, and record what became of it.
    status: Condition,
    /// Whether the database answers.
    database: Condition,
    /// The queue from afar, when the database answers.
    queue: Option<QueueOut>,
    /// How this node is.
    node: NodeHealthOut,
    /// What cannot be done at the moment, each in a sentence; empty when all is well.
    problems: Vec<String>,
}

/// Whether something works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
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
    /// For how many seconds the longest overdue delivery of an open endpoint has been due, as of the last look at the
    /// whole queue; null when none is overdue. One whose endpoint takes less than it gets waits behind others.
    longest_overdue_seconds: Option<f64>,
}

/// How a node is. Times are in seconds.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NodeHealthOut {
    /// Since the database last took its heartbeat.
    heartbeat_age_seconds: Option<f64>,
    /// Whether it hears what other nodes change.
    hears_changes: bool,
    /// Since messages were last written; null when none were yet.
    last_messages_seconds: Option<f64>,
    /// Since outcomes of attempts were last recorded; null when none were yet.
    last_outcomes_seconds: Option<f64>,
    /// Deliveries that nobody worked on, found and put back into the queue since the start. Anything but zero is a
    /// fault of ours.
    rescued: u64,
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
    let health = &state.health;
    let asked = tokio::time::timeout(DATABASE_TIMEOUT, state.queue.queue_health()).await;
    let queue = asked.ok().and_then(Result::ok).map(|queue| QueueOut {
        live_nodes: queue.live_nodes,
        waiting_estimate: queue.waiting_estimate,
        longest_overdue_seconds: health.longest_overdue().map(|(by, ago)| (by + ago).as_secs_f64()),
    });
    let seconds = |progress: &Progress| progress.last_done().map(|ago| ago.as_secs_f64());
    let hears_changes = state.changes.receives_notices();
    let node = NodeHealthOut {
        heartbeat_age_seconds: seconds(&health.heartbeat),
        hears_changes,
        last_messages_seconds: seconds(&health.messages)
            .into_iter()
            .chain(seconds(&health.large_messages))
            .reduce(f64::min),
        last_outcomes_seconds: seconds(&health.outcomes),
        rescued: health.rescued_count(),
    };
    let mut problems = problems(health);
    if queue.is_none() {
        problems.insert(0, "the database does not answer".to_owned());
    }
    if !hears_changes {
        problems
            .push("this node does not hear what others change, and sends nothing until it does".to_owned());
    }
    let database = if queue.is_some() { Condition::Ok } else { Condition::Unavailable };
    let (code, status) = if problems.is_empty() {
        (StatusCode::OK, Condition::Ok)
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Condition::Unavailable)
    };
    (code, Json(HealthOut { status, database, queue, node, problems }))
}

/// What has not got on for too long.
fn problems(health: &NodeHealth) -> Vec<String> {
    let parts = [
        (&health.heartbeat, "the database does not take this node's heartbeats"),
        (&health.messages, "messages that were posted wait to be written"),
        (&health.large_messages, "large messages that were posted wait to be written"),
        (&health.outcomes, "outcomes of attempts wait to be recorded"),
        (&health.hand_backs, "deliveries wait to be handed back to the queue"),
        (&health.claims, "what is due in the queue is not claimed"),
    ];
    parts
        .into_iter()
        .filter(|(progress, _)| progress.stalled_for() > STALLED_AFTER)
        .map(|(progress, what)| format!("{what}, since {:.0} s", progress.stalled_for().as_secs_f64()))
        .collect()
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
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(get)).routes(routes!(ping))
}
