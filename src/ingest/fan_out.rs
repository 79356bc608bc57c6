//! Which endpoints get a message, and where each of its deliveries is born.

use std::sync::Arc;

use crate::dispatch::{Dispatcher, Place};
use crate::domain::application::Application;
use crate::domain::id::EndpointId;
use crate::domain::message::Message;

/// The deliveries of a message, each with its place.
pub(super) fn fan_out(
    dispatcher: &Arc<Dispatcher>,
    application: &Application,
    message: &Message,
) -> Vec<(EndpointId, Place)> {
    application
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.filter.matches(message))
        .map(|endpoint| (endpoint.id, dispatcher.admit(endpoint, message.payload.len())))
        .collect()
}
