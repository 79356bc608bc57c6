//! The low-water mark: no delivery in this node's memory has a smaller message id. A node that takes this one over
//! need not look below it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::id::MessageId;

/// The messages whose deliveries this node may hold.
#[derive(Debug, Clone, Default)]
pub struct LowWater {
    held: Arc<Mutex<BTreeSet<MessageId>>>,
}

/// Keeps the low-water mark at or below its message until it is dropped.
#[derive(Debug)]
pub struct Mark {
    id: MessageId,
    low_water: LowWater,
}

impl LowWater {
    fn held(&self) -> MutexGuard<'_, BTreeSet<MessageId>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new message id, marked before anything is written under it.
    pub fn begin(&self) -> Mark {
        let mut held = self.held();
        // Made under the lock, so that no mark read before can be above it.
        let id = MessageId::generate();
        held.insert(id);
        drop(held);
        Mark { id, low_water: self.clone() }
    }

    /// Whether a delivery of this message may be held.
    pub fn holds(&self, id: MessageId) -> bool {
        self.held().contains(&id)
    }

    /// The smallest id held, or a new one when none is.
    pub fn lowest(&self) -> MessageId {
        let held = self.held();
        held.first().copied().unwrap_or_else(MessageId::generate)
    }
}

impl Mark {
    /// The message.
    pub fn id(&self) -> MessageId {
        self.id
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.low_water.held().remove(&self.id);
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
            let low_water = LowWater::default();
            let mut held: Vec<Mark> = Vec::new();
            let mut read = low_water.lowest();
            for (what, which) in steps {
                match what {
                    0 => {
                        let mark = low_water.begin();
                        prop_assert!(mark.id() >= read);
                        held.push(mark);
                    }
                    1 if !held.is_empty() => drop(held.swap_remove(which % held.len())),
                    _ => {
                        read = low_water.lowest();
                        prop_assert!(held.iter().all(|mark| mark.id() >= read));
                    }
                }
            }
        }
    }

    #[test]
    fn the_mark_follows_the_oldest_that_is_held() {
        let low_water = LowWater::default();
        let empty = low_water.lowest();
        let first = low_water.begin();
        let second = low_water.begin();
        assert!(empty < first.id());
        assert_eq!(low_water.lowest(), first.id());
        drop(first);
        assert_eq!(low_water.lowest(), second.id());
        let last = second.id();
        drop(second);
        assert!(low_water.lowest() > last);
    }
}
