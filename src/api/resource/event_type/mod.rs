//! Event types: the catalogue of an environment.

mod change;
mod create;
mod import;
mod path;
mod read;
mod shape;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::state::SharedState;

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(read::list, create::create))
        .routes(routes!(read::get, change::update, change::patch, change::delete))
        .merge(import::routes())
}
