//! API keys: credentials that can be revoked. An environment makes them for itself and its tenants, operators for anyone.

mod environment;
mod operate;
mod operator;
mod path;
mod shape;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::state::SharedState;

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    OpenApiRouter::new()
        .routes(routes!(environment::list, environment::create))
        .routes(routes!(environment::get, environment::revoke))
        .routes(routes!(operator::list, operator::create))
        .routes(routes!(operator::get, operator::revoke))
}
