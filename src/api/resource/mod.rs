//! The resources, as the API's documentation groups them. Each checks what it was given, asks `store/` or `ingest/`, and
//! shapes the answer.

pub mod access;
pub mod admin;
mod alert;
pub mod application;
pub mod attempt;
pub mod background_task;
pub mod console;
pub mod dead_letter;
pub mod delivery;
pub mod endpoint;
mod endpoint_secret;
mod environment;
pub mod erasure;
pub mod event_type;
mod export;
pub mod health;
pub mod inbox;
pub mod live;
pub mod live_check;
pub mod message;
pub mod operational_webhook;
pub(in crate::api) mod path;
pub mod pause;
pub mod portal;
pub mod search;
pub mod session;
pub mod statistics;

use axum::Router;
use utoipa_axum::router::OpenApiRouter;

use super::state::SharedState;

/// The routes of all resources, in the order of the documentation.
pub(super) fn routes() -> OpenApiRouter<SharedState> {
    application::routes()
        .merge(endpoint::routes())
        .merge(live_check::routes())
        .merge(event_type::routes())
        .merge(message::routes())
        .merge(delivery::routes())
        .merge(attempt::routes())
        .merge(dead_letter::routes())
        .merge(background_task::routes())
        .merge(operational_webhook::routes())
        .merge(alert::routes())
        .merge(statistics::routes())
        .merge(console::routes())
        .merge(live::routes())
        .merge(search::routes())
        .merge(pause::routes())
        .merge(environment::routes())
        .merge(endpoint_secret::routes())
        .merge(erasure::routes())
        .merge(export::routes())
        .merge(portal::routes())
        .merge(inbox::routes())
        .merge(admin::routes())
        .merge(access::routes())
        .merge(session::routes())
        .merge(health::routes())
}

/// What is served and is no operation: places that need no credential and no description.
pub(super) fn unlisted_routes() -> Router<SharedState> {
    portal::unlisted_routes().merge(inbox::unlisted_routes()).merge(session::unlisted_routes())
}
