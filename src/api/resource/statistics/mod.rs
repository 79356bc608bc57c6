//! Statistics: deliveries over time, and how an environment is used.

mod deliveries;
mod storage;
mod usage;

pub(in crate::api) use deliveries::AttemptCountsOut;

use utoipa_axum::router::OpenApiRouter;

use crate::api::state::SharedState;

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    deliveries::routes().merge(usage::routes()).merge(storage::routes())
}
