//! What happens now, as server-sent events.

mod pace;
mod shape;
mod stream;
mod topics;
mod watch;

use utoipa_axum::router::OpenApiRouter;

use crate::api::state::SharedState;

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    watch::routes()
}
