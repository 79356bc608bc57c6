//! What operators see, across environments: environments, nodes and their settings, and what waits in the queue. (API keys, dead
//! letters, pauses and the audit log have their places beside the resources that they belong to.)

mod environment;
mod node;
mod queue;
mod setting;

use utoipa_axum::router::OpenApiRouter;

use crate::api::state::SharedState;

/// The routes of these resources.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    environment::routes().merge(node::routes()).merge(queue::routes()).merge(setting::routes())
}
