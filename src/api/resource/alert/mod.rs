//! Alerts: the rules of an environment, and the channels that alerts are sent over.

mod channel;
mod channel_shape;
mod channel_target;
mod path;
mod rule;
mod rule_shape;

use utoipa_axum::router::OpenApiRouter;

use crate::api::state::SharedState;

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    rule::routes().merge(channel::routes()).merge(channel_target::routes())
}
