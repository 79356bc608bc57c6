//! Which endpoints get a message.

use super::message::Message;

/// What an endpoint listens to. An empty list of either kind means everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Event types by exact name.
    pub event_types: Vec<String>,
    /// Channels, of which the message must carry one.
    pub channels: Vec<String>,
}

impl Filter {
    /// Whether an endpoint with this filter gets the message.
    pub fn matches(&self, message: &Message) -> bool {
        let by_type = self.event_types.is_empty() || self.event_types.contains(&message.event_type);
        let by_channel = self.channels.is_empty()
            || message.channels.iter().any(|channel| self.channels.contains(channel));
        by_type && by_channel
    }
}
