//! Which endpoints get a message, and where each of its deliveries is born.

use std::sync::Arc;

use crate::dispatch::{Dispatcher, Place};
use crate::domain::application::Application;
use crate::domain::id::EndpointId;
use crate::domain::message::Message;

/// The deliveries of a message, each with its place: to all endpoints that want it, or to `only` that one.
pub(super) fn fan_out(
    dispatcher: &Arc<Dispatcher>,
    application: &Application,
    message: &Message,
    only: Option<EndpointId>,
) -> Vec<(EndpointId, Place)> {
    application
        .endpoints
        .iter()
        .filter(|endpoint| only.map_or_else(|| endpoint.filter.matches(message), |only| endpoint.id == only))
        .map(|endpoint| (endpoint.id, dispatcher.admit(endpoint, message.payload.len())))
        .collect()
}
