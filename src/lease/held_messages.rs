//! The messages whose deliveries this node may hold in memory, and the low-water mark: no message of them has a smaller id.
//! A node that takes this one over need not look below the mark.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::id::MessageId;

/// The messages that are held. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct HeldMessages {
    held: Arc<Mutex<BTreeSet<MessageId>>>,
}

/// Keeps the low-water mark at or below its message until it is dropped.
#[derive(Debug)]
pub struct MessageGuard {
    id: MessageId,
    messages: HeldMessages,
}

impl HeldMessages {
    fn held(&self) -> MutexGuard<'_, BTreeSet<MessageId>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a new message id, which is held before anything is written under it.
    pub fn begin(&self) -> MessageGuard {
        let mut held = self.held();
        // Made under the lock, so that no mark that was read before can be above it.
        let id = MessageId::generate();
        held.insert(id);
        drop(held);
        MessageGuard { id, messages: self.clone() }
    }

    /// Whether a delivery of this message may be held.
    pub fn holds(&self, id: MessageId) -> bool {
        self.held().contains(&id)
    }

    /// The smallest id held, or a new one when none is.
    pub fn low_water_mark(&self) -> MessageId {
        let held = self.held();
        held.first().copied().unwrap_or_else(MessageId::generate)
    }
}

impl MessageGuard {
    /// The message.
    pub fn id(&self) -> MessageId {
        self.id
    }
}

impl Drop for MessageGuard {
    fn drop(&mut self) {
        self.messages.held().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A node that takes over looks from the mark on, so nothing that is held may be below it, nor may anything
        /// that is begun after it was read.
        #[test]
        fn nothing_that_is_held_or_begins_later_is_below_the_mark(
            steps in prop::collection::vec((0..3_u8, 0_usize..50), 1..200),
        ) {
            let messages = HeldMessages::default();
            let mut held: Vec<MessageGuard> = Vec::new();
            let mut read = messages.low_water_mark();
            for (what, which) in steps {
                match what {
                    0 => {
                        let mark = messages.begin();
                        prop_assert!(mark.id() >= read);
                        held.push(mark);
                    }
                    1 if !held.is_empty() => drop(held.swap_remove(which % held.len())),
                    _ => {
                        read = messages.low_water_mark();
                        prop_assert!(held.iter().all(|mark| mark.id() >= read));
                    }
                }
            }
        }
    }

    #[test]
    fn the_mark_follows_the_oldest_that_is_held() {
        let messages = HeldMessages::default();
        let empty = messages.low_water_mark();
        let first = messages.begin();
        let second = messages.begin();
        assert!(empty < first.id());
        assert_eq!(messages.low_water_mark(), first.id());
        drop(first);
        assert_eq!(messages.low_water_mark(), second.id());
        let last = second.id();
        drop(second);
        assert!(messages.low_water_mark() > last);
    }
}
