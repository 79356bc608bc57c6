//! Endpoints: where a tenant's messages go.

mod cancel;
mod change;
mod check;
mod create;
mod end_secret;
pub(in crate::api::resource) mod example;
pub(super) mod headers;
mod read;
mod recover;
mod replay;
pub(super) mod secret;
pub(super) mod shape;
mod signature;
mod stats;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::state::SharedState;

pub(super) use change::replace_or_create;
pub(super) use check::Rules;
pub(super) use create::create_from;
pub(super) use read::page_of;

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(read::list, create::create))
        .routes(routes!(read::get, change::update, change::patch, change::delete))
        .merge(secret::routes())
        .routes(routes!(end_secret::end_secret))
        .merge(headers::routes())
        .routes(routes!(recover::recover))
        .merge(replay::routes())
        .merge(cancel::routes())
        .merge(example::routes())
        .merge(signature::routes())
        .merge(stats::routes())
}
