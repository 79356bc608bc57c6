//! A bounded queue that is emptied in batches: a batch is what was queued while the last one was being worked on. So a
//! single item waits for nothing, and under load one commit serves hundreds. It is bounded in items and in bytes.
//!
//! Light items do not wait behind heavy ones: each batch takes of both, so that neither is ever left behind.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// How much a queue holds, and how much one batch takes.
#[derive(Debug, Clone, Copy)]
pub struct BatchLimits {
    /// Items in the queue.
    pub queue_items: usize,
    /// Bytes in the queue.
    pub queue_bytes: usize,
    /// Items in a batch. With light and heavy items waiting, it takes one of each at least.
    pub batch_items: usize,
    /// Bytes in a batch. A single item, or items that were pushed together, may exceed both.
    pub batch_bytes: usize,
    /// An item, or items that were pushed together, of so many bytes or less are light.
    pub light_bytes: usize,
}

/// Beside light items, a batch takes heavy ones of this part of its bytes, and at least one.
const HEAVY_PART: usize = 4;

/// The queue.
pub struct BatchQueue<T> {
    limits: BatchLimits,
    state: Mutex<State<T>>,
    filled: Notify,
    has_room: Notify,
}

struct State<T> {
    light: VecDeque<Queued<T>>,
    heavy: VecDeque<Queued<T>>,
    bytes: usize,
    closed: bool,
}

struct Queued<T> {
    item: T,
    bytes: usize,
    /// It goes into the same batch as the one before it.
    joins_previous: bool,
}

impl<T> BatchQueue<T> {
    /// An empty queue.
    pub fn new(limits: BatchLimits) -> Self {
        let state = State { light: VecDeque::new(), heavy: VecDeque::new(), bytes: 0, closed: false };
        Self { limits, state: Mutex::new(state), filled: Notify::new(), has_room: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item, or gives it back when the queue is full or closed.
    ///
    /// # Errors
    /// The item itself.
    pub fn try_push(&self, item: T, bytes: usize) -> Result<(), T> {
        let mut state = self.state();
        if self.has_no_room(&state, bytes) {
            return Err(item);
        }
        state.add(bytes <= self.limits.light_bytes, Queued { item, bytes, joins_previous: false });
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Adds items, each with its bytes, that will be in one batch together; or gives them back.
    ///
    /// # Errors
    /// The items themselves.
    pub fn try_push_together(&self, items: Vec<(T, usize)>) -> Result<(), Vec<(T, usize)>> {
        let mut state = self.state();
        let all_bytes = items.iter().map(|(_, bytes)| bytes).sum();
        if self.has_no_room(&state, all_bytes) {
            return Err(items);
        }
        let is_light = all_bytes <= self.limits.light_bytes;
        for (place, (item, bytes)) in items.into_iter().enumerate() {
            state.add(is_light, Queued { item, bytes, joins_previous: place > 0 });
        }
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    fn has_no_room(&self, state: &State<T>, bytes: usize) -> bool {
        state.closed
            || state.items() >= self.limits.queue_items
            || (state.bytes + bytes > self.limits.queue_bytes && state.items() > 0)
    }

    /// Adds an item, waiting for room.
    ///
    /// # Errors
    /// The item itself, when the queue was closed.
    pub async fn push(&self, mut item: T, bytes: usize) -> Result<(), T> {
        loop {
            let room = self.has_room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            match self.try_push(item, bytes) {
                Ok(()) => return Ok(()),
                Err(back) if self.state().closed => return Err(back),
                Err(back) => item = back,
            }
            room.await;
        }
    }

    /// The next batch, light items in order and heavy items in order; waits for the first item. `None` when the queue is
    /// closed and empty.
    pub async fn take(&self) -> Option<Vec<T>> {
        loop {
            let filled = self.filled.notified();
            let closed = {
                let mut state = self.state();
                let batch = self.cut_batch(&mut state);
                if !batch.is_empty() {
                    if state.items() > 0 {
                        self.filled.notify_one();
                    }
                    drop(state);
                    self.has_room.notify_waiters();
                    return Some(batch);
                }
                state.closed
            };
            if closed {
                self.filled.notify_one();
                return None;
            }
            filled.await;
        }
    }

    fn cut_batch(&self, state: &mut State<T>) -> Vec<T> {
        let BatchLimits { batch_items, batch_bytes, .. } = self.limits;
        let heavy_part = if state.light.is_empty() { batch_bytes } else { batch_bytes / HEAVY_PART };
        let mut batch = Vec::new();
        let heavy_bytes = cut(&mut state.heavy, batch_items, heavy_part, &mut batch);
        // A single item may be heavier than all heavy ones together; light ones have the rest of the batch all the same.
        let light_part = batch_bytes - heavy_bytes.min(heavy_part);
        let light_items = batch_items.saturating_sub(batch.len());
        let light_bytes = cut(&mut state.light, light_items, light_part, &mut batch);
        state.bytes -= heavy_bytes + light_bytes;
        batch
    }

    /// Refuses what comes from now on. What is queued can still be taken.
    pub fn close(&self) {
        self.state().closed = true;
        self.filled.notify_one();
        self.has_room.notify_waiters();
    }
}

/// Moves items to the batch, so many and so heavy at most, but always the first one and those that join it. Returns their
/// bytes.
fn cut<T>(line: &mut VecDeque<Queued<T>>, max_items: usize, max_bytes: usize, batch: &mut Vec<T>) -> usize {
    let (mut items, mut bytes) = (0, 0);
    while let Some(next) = line.front() {
        let fits = items < max_items && bytes + next.bytes <= max_bytes;
        if !(fits || next.joins_previous || items == 0) {
            break;
        }
        let Some(next) = line.pop_front() else { break };
        items += 1;
        bytes += next.bytes;
        batch.push(next.item);
    }
    bytes
}

impl<T> State<T> {
    fn add(&mut self, is_light: bool, queued: Queued<T>) {
        self.bytes += queued.bytes;
        if is_light { &mut self.light } else { &mut self.heavy }.push_back(queued);
    }

    fn items(&self) -> usize {
        self.light.len() + self.heavy.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BatchLimits = BatchLimits {
        queue_items: 4,
        queue_bytes: 100,
        batch_items: 3,
        batch_bytes: 50,
        light_bytes: usize::MAX,
    };

    #[tokio::test]
    async fn a_batch_is_bounded_in_items_and_bytes_and_keeps_order() {
        let queue = BatchQueue::new(LIMITS);
        for (item, bytes) in [(1, 10), (2, 30), (3, 30), (4, 10)] {
            queue.try_push(item, bytes).unwrap();
        }
        assert_eq!(queue.try_push(5, 1), Err(5));
        assert_eq!(queue.take().await, Some(vec![1, 2]));
        assert_eq!(queue.take().await, Some(vec![3, 4]));
    }

    #[tokio::test]
    async fn light_items_wait_for_no_heavy_ones_and_heavy_ones_go_along() {
        let limits =
            BatchLimits { queue_items: 20, queue_bytes: 1_000, batch_bytes: 80, light_bytes: 9, ..LIMITS };
        let queue = BatchQueue::new(limits);
        for heavy in 1..=4 {
            queue.try_push(heavy, 20).unwrap();
        }
        queue.try_push_together(vec![(5, 8), (6, 8)]).unwrap();
        for light in 11..=14 {
            queue.try_push(light, 1).unwrap();
        }
        assert_eq!(queue.take().await, Some(vec![1, 11, 12]));
        assert_eq!(queue.take().await, Some(vec![2, 13, 14]));
        assert_eq!(queue.take().await, Some(vec![3, 4, 5, 6]), "alone they fill a batch");
    }

    #[tokio::test]
    async fn a_batch_of_light_and_heavy_items_keeps_its_bytes() {
        let queue = BatchQueue::new(BatchLimits {
            queue_items: 20,
            batch_items: 20,
            batch_bytes: 80,
            light_bytes: 9,
            ..LIMITS
        });
        queue.try_push(0, 20).unwrap();
        for light in 1..=9 {
            queue.try_push(light, 8).unwrap();
        }
        assert_eq!(queue.take().await, Some((0..=7).collect()), "20 and 7 times 8 of 80");
        assert_eq!(queue.take().await, Some(vec![8, 9]));
    }

    #[tokio::test]
    async fn a_single_heavy_item_leaves_light_ones_their_place_in_each_batch() {
        let queue = BatchQueue::new(BatchLimits { batch_items: 1, light_bytes: 9, ..LIMITS });
        for (item, bytes) in [(1, 1), (2, 70), (3, 1)] {
            queue.try_push(item, bytes).unwrap();
        }
        assert_eq!(queue.take().await, Some(vec![2, 1]));
        assert_eq!(queue.take().await, Some(vec![3]));
    }

    #[tokio::test]
    async fn bytes_are_bounded_but_one_large_item_passes() {
        let queue = BatchQueue::new(LIMITS);
        queue.try_push(1, 1000).unwrap();
        assert_eq!(queue.try_push(2, 1), Err(2));
        assert_eq!(queue.take().await, Some(vec![1]));
        queue.try_push(2, 1).unwrap();
    }

    #[tokio::test]
    async fn what_was_pushed_together_is_taken_together() {
        let queue = BatchQueue::new(LIMITS);
        queue.try_push(1, 10).unwrap();
        queue.try_push_together(vec![(2, 30), (3, 30), (4, 10), (5, 10)]).unwrap();
        assert_eq!(queue.try_push(6, 1), Err(6));
        assert_eq!(queue.take().await, Some(vec![1, 2, 3, 4, 5]));
        queue.try_push(6, 30).unwrap();
        queue.try_push_together(vec![(7, 30), (8, 30)]).unwrap();
        assert_eq!(queue.try_push_together(vec![(9, 30)]), Err(vec![(9, 30)]), "bytes are bounded");
        assert_eq!(queue.take().await, Some(vec![6]));
        assert_eq!(queue.take().await, Some(vec![7, 8]));
    }

    #[tokio::test]
    async fn closing_lets_what_is_queued_out_and_wakes_everybody() {
        let queue = std::sync::Arc::new(BatchQueue::new(LIMITS));
        queue.try_push(1, 1).unwrap();
        let takers: Vec<_> = (0..2)
            .map(|_| {
                let queue = queue.clone();
                tokio::spawn(async move {
                    let mut all = Vec::new();
                    while let Some(batch) = queue.take().await {
                        all.extend(batch);
                    }
                    all
                })
            })
            .collect();
        queue.close();
        assert_eq!(queue.push(2, 1).await, Err(2));
        let mut all = Vec::new();
        for taker in takers {
            all.extend(taker.await.unwrap());
        }
        assert_eq!(all, vec![1]);
    }
}
