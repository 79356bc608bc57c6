//! Finding things: anything by its id, its name or a part of it, and messages by what they are and what is in them.

mod everything;
mod hit;
mod message;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::state::SharedState;

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(everything::search))
        .routes(routes!(message::search))
        .routes(routes!(message::search_in_application))
}
