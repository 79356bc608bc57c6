//! How the portal looks in an environment: name, logo, accents, links, and who may show it in a frame.

mod check;
mod logo;
mod look;
mod shape;

use axum::Router;
use utoipa_axum::router::OpenApiRouter;

use crate::api::state::SharedState;

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    look::routes()
}

/// What is no operation: the logos themselves.
pub(in crate::api) fn unlisted_routes() -> Router<SharedState> {
    logo::unlisted_routes()
}
