//! Attempts: the requests that were made, and what came back.

mod delivery_status;
pub(in crate::api) mod exchange;
mod list;
mod query;
mod read;
pub(in crate::api) mod request;
mod shape;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::state::SharedState;

pub(super) use shape::{AttemptOut, shown_error, shown_failure};

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(list::list_by_endpoint))
        .routes(routes!(list::list_by_message))
        .routes(routes!(read::get))
        .routes(routes!(request::get_request))
        .merge(delivery_status::routes())
}
