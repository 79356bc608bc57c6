//! Which endpoints get a message.

use crate::domain::message::Message;

/// What an endpoint listens to. An empty list of either kind means everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Event types by exact name.
    event_types: Names,
    /// Channels, of which the message must carry one.
    channels: Names,
}

impl Filter {
    /// A filter for these event types and channels.
    pub fn new(event_types: Vec<String>, channels: Vec<String>) -> Self {
        Self { event_types: Names::new(event_types), channels: Names::new(channels) }
    }

    /// Whether an endpoint with this filter gets the message.
    pub fn matches(&self, message: &Message) -> bool {
        let by_type = self.event_types.is_empty() || self.event_types.contains(&message.event_type);
        let by_channel = self.channels.is_empty()
            || message.channels.iter().any(|channel| self.channels.contains(channel));
        by_type && by_channel
    }

    /// What it takes in memory beyond itself, in bytes.
    pub fn weight(&self) -> usize {
        self.event_types.weight() + self.channels.weight()
    }
}

/// Names in order, so that looking for one does not look at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Names(Box<[Box<str>]>);

impl Names {
    fn new(names: Vec<String>) -> Self {
        let mut names: Vec<Box<str>> = names.into_iter().map(String::into_boxed_str).collect();
        names.sort_unstable();
        names.dedup();
        Self(names.into_boxed_slice())
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn contains(&self, name: &str) -> bool {
        self.0.binary_search_by(|candidate| (**candidate).cmp(name)).is_ok()
    }

    fn weight(&self) -> usize {
        self.0.iter().map(|name| size_of::<Box<str>>() + name.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn names_are_found_in_any_order_and_no_others(
            names in prop::collection::vec("[a-c]{0,3}", 0..30),
            asked in prop::collection::vec("[a-c]{0,3}", 0..30),
        ) {
            let ordered = Names::new(names.clone());
            for name in names.iter().chain(&asked) {
                prop_assert_eq!(ordered.contains(name), names.contains(name));
            }
            prop_assert_eq!(ordered.is_empty(), names.is_empty());
        }
    }

    #[test]
    fn a_long_list_weighs_its_names() {
        let names: Vec<String> = (0..1_000).map(|n| format!("{n:0>100}")).collect();
        let weight = Filter::new(names.clone(), names).weight();
        assert!((200_000..250_000).contains(&weight), "{weight}");
        assert_eq!(Filter::default().weight(), 0);
    }
}
