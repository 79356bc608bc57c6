//! Applications: one for each tenant.

mod change;
mod create;
mod read;
mod shape;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::state::SharedState;

pub(in crate::api) use create::create_unless_there;
pub(in crate::api) use shape::ApplicationIn;

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(read::list, create::create)).routes(routes!(
        read::get,
        change::update,
        change::patch,
        change::delete
    ))
}
