//! The deliveries of a message: where each stands, why it waits, and when it goes on.

mod list;
mod shape;
mod why;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::state::SharedState;

pub(in crate::api) use shape::{DeliveryCountsOut, StateName};

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new().routes(routes!(list::list))
}
