//! Test inboxes: making one, looking into it, deleting it, and the place where it gets what is posted.

mod create;
mod of_endpoint;
mod operate;
mod path;
mod receive;
mod shape;

use axum::Router;
use utoipa_axum::router::OpenApiRouter;

use crate::api::state::SharedState;

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    create::routes().merge(operate::routes()).merge(of_endpoint::routes())
}

/// What is no operation: where inboxes get what is posted to them.
pub(in crate::api) fn unlisted_routes() -> Router<SharedState> {
    receive::unlisted_routes()
}
