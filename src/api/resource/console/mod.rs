//! What the first screens of the console ask for, each in one answer: the overview, incidents, an endpoint, small charts of
//! many, event types with those who ask for them, groups of dead letters. All of it comes from rollups, from the last look
//! at the queue, and from indexes; nothing here reads messages, deliveries or attempts.

mod dead_letter_group;
mod endpoint_overview;
mod event_type;
mod incident;
mod node;
mod overview;
mod policies;
mod secret;
mod series;
mod shape;
mod sparkline;
mod troubles;
mod worst;

pub(in crate::api) use node::NodeOut;

use utoipa_axum::router::OpenApiRouter;

use crate::api::state::SharedState;

/// The routes of this resource.
pub fn routes() -> OpenApiRouter<SharedState> {
    overview::routes()
        .merge(incident::routes())
        .merge(endpoint_overview::routes())
        .merge(sparkline::routes())
        .merge(event_type::routes())
        .merge(dead_letter_group::routes())
}
