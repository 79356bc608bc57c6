//! A bounded queue that is emptied in batches: a batch is what was queued while the last one was being worked on. So a
//! single item waits for nothing, and under load one commit serves hundreds. It is bounded in items and in bytes.

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
    /// Items in a batch.
    pub batch_items: usize,
    /// Bytes in a batch. A single item, or items that were pushed together, may exceed both.
    pub batch_bytes: usize,
}

/// The queue.
pub struct BatchQueue<T> {
    limits: BatchLimits,
    state: Mutex<State<T>>,
    filled: Notify,
    has_room: Notify,
}

struct State<T> {
    items: VecDeque<Queued<T>>,
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
        let state = State { items: VecDeque::new(), bytes: 0, closed: false };
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
        state.add(item, bytes, false);
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
        if self.has_no_room(&state, items.iter().map(|(_, bytes)| bytes).sum()) {
            return Err(items);
        }
        for (place, (item, bytes)) in items.into_iter().enumerate() {
            state.add(item, bytes, place > 0);
        }
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    fn has_no_room(&self, state: &State<T>, bytes: usize) -> bool {
        state.closed
            || state.items.len() >= self.limits.queue_items
            || (state.bytes + bytes > self.limits.queue_bytes && !state.items.is_empty())
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

    /// The next batch, in order; waits for the first item. `None` when the queue is closed and empty.
    pub async fn take(&self) -> Option<Vec<T>> {
        self.take_within(|| self.limits.batch_bytes).await
    }

    /// The same with another limit of its bytes, which is asked for when the batch is taken.
    pub async fn take_within(&self, batch_bytes: impl Fn() -> usize) -> Option<Vec<T>> {
        loop {
            let filled = self.filled.notified();
            let closed = {
                let mut state = self.state();
                let batch = self.cut_batch(&mut state, batch_bytes());
                if !batch.is_empty() {
                    if !state.items.is_empty() {
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

    fn cut_batch(&self, state: &mut State<T>, most_bytes: usize) -> Vec<T> {
        let mut batch = Vec::new();
        let mut batch_bytes = 0;
        while let Some(next) = state.items.front() {
            let fits = batch.len() < self.limits.batch_items && batch_bytes + next.bytes <= most_bytes;
            if !(fits || next.joins_previous || batch.is_empty()) {
                break;
            }
            let Some(next) = state.items.pop_front() else { break };
            batch_bytes += next.bytes;
            batch.push(next.item);
        }
        state.bytes -= batch_bytes;
        batch
    }

    /// Refuses what comes from now on. What is queued can still be taken.
    pub fn close(&self) {
        self.state().closed = true;
        self.filled.notify_one();
        self.has_room.notify_waiters();
    }
}

impl<T> State<T> {
    fn add(&mut self, item: T, bytes: usize, joins_previous: bool) {
        self.bytes += bytes;
        self.items.push_back(Queued { item, bytes, joins_previous });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BatchLimits =
        BatchLimits { queue_items: 4, queue_bytes: 100, batch_items: 3, batch_bytes: 50 };

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
    async fn whoever_takes_may_take_less() {
        let queue = BatchQueue::new(LIMITS);
        queue.try_push_together(vec![(1, 10), (2, 10)]).unwrap();
        queue.try_push(3, 10).unwrap();
        queue.try_push(4, 10).unwrap();
        assert_eq!(queue.take_within(|| 5).await, Some(vec![1, 2]), "what was pushed together");
        assert_eq!(queue.take_within(|| 10).await, Some(vec![3]));
        assert_eq!(queue.take().await, Some(vec![4]));
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
