//! Which endpoints get a message, and where each of its deliveries begins.

use std::sync::Arc;

use crate::dispatch::{Dispatcher, Placement};
use crate::domain::application::Application;
use crate::domain::id::EndpointId;
use crate::domain::message::Message;

/// The deliveries of a message, each with where it begins: to all endpoints that want it, or to `only` that one.
pub(super) fn fan_out(
    dispatcher: &Arc<Dispatcher>,
    application: &Application,
    message: &Message,
    only: Option<EndpointId>,
) -> Vec<(EndpointId, Placement)> {
    application
        .endpoints
        .iter()
        .filter(|endpoint| only.map_or_else(|| endpoint.filter.matches(message), |only| endpoint.id == only))
        .map(|endpoint| (endpoint.id, dispatcher.reserve(endpoint, message.content_bytes())))
        .collect()
}
