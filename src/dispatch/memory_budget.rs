//! The memory for deliveries: a budget in bytes, of which each delivery holds its share until it is recorded or handed
//! back. What gets no share waits in the queue, so a backlog of any size takes no more memory than this.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a delivery takes besides its message's content.
const OVERHEAD_BYTES: usize = 512;

/// The budget.
pub(super) struct MemoryBudget {
    free: Arc<Semaphore>,
    budget: usize,
}

/// A delivery's share of the budget. Dropping it gives it back.
#[derive(Debug)]
pub struct MemoryShare {
    _bytes: OwnedSemaphorePermit,
}

impl MemoryBudget {
    pub(super) fn new(budget: usize) -> Self {
        let budget = budget.min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(budget)), budget }
    }

    /// A share for a first attempt. An eighth of the budget is left to what is claimed, so that it never starves.
    pub(super) fn reserve_first(&self, content_bytes: usize) -> Option<MemoryShare> {
        let share = self.reserve(content_bytes)?;
        (self.free.available_permits() >= self.budget / 8).then_some(share)
    }

    /// A share for a delivery of a message of this size, unless the budget is used up.
    pub(super) fn reserve(&self, content_bytes: usize) -> Option<MemoryShare> {
        let bytes = u32::try_from(content_bytes.checked_add(OVERHEAD_BYTES)?).ok()?;
        self.free.clone().try_acquire_many_owned(bytes).ok().map(|bytes| MemoryShare { _bytes: bytes })
    }

    /// Bytes that are taken, and all of them.
    pub(super) fn used_of(&self) -> (usize, usize) {
        (self.budget.saturating_sub(self.free.available_permits()), self.budget)
    }

    /// Whether too little is left to claim more.
    pub(super) fn is_short(&self) -> bool {
        self.free.available_permits() < self.budget / 16
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_budget_is_never_exceeded_and_comes_back_whole(
            budget in 0_usize..20_000,
            steps in prop::collection::vec((0_usize..6_000, any::<bool>()), 1..200),
        ) {
            let memory = MemoryBudget::new(budget);
            let mut held: Vec<(usize, MemoryShare)> = Vec::new();
            for (bytes, gives_back) in steps {
                if gives_back && !held.is_empty() {
                    held.remove(bytes % held.len());
                    continue;
                }
                let used: usize = held.iter().map(|(bytes, _)| bytes + OVERHEAD_BYTES).sum();
                match memory.reserve(bytes) {
                    Some(share) => held.push((bytes, share)),
                    None => prop_assert!(used + bytes + OVERHEAD_BYTES > budget, "refused what there was room for"),
                }
                let used: usize = held.iter().map(|(bytes, _)| bytes + OVERHEAD_BYTES).sum();
                prop_assert!(used <= budget);
                prop_assert_eq!(memory.is_short(), budget - used < budget / 16);
            }
            held.clear();
            prop_assert_eq!(memory.free.available_permits(), budget);
        }
    }

    #[test]
    fn first_attempts_leave_an_eighth_to_what_is_claimed() {
        let memory = MemoryBudget::new(80 * OVERHEAD_BYTES);
        let first: Vec<MemoryShare> = std::iter::from_fn(|| memory.reserve_first(0)).collect();
        assert_eq!(first.len(), 70);
        let claimed: Vec<MemoryShare> = std::iter::from_fn(|| memory.reserve(0)).collect();
        assert_eq!(claimed.len(), 10);
    }

    #[test]
    fn a_size_beyond_all_bounds_is_refused() {
        assert!(MemoryBudget::new(usize::MAX).reserve(usize::MAX).is_none());
    }
}
