//! How one lane holds up those who post to it while its queue is long: whom it wakes when deliveries have left the queue,
//! and when waiting for it is of no use. `dispatch/backpressure.rs` has those who wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use crate::domain::id::EndpointId;

use super::Lanes;
use super::queued::Queued;

/// A lane from which fewer leave in one wait is stalled: while the dispatcher's threads are saturated, and otherwise.
const MIN_DEQUEUED_WHEN_SATURATED: u64 = 4;
const MIN_DEQUEUED: u64 = 50;
/// Nobody waits for a stalled lane for this long, and until it has moved as fast as a lane that posts wait for does.
const STALLED_FOR: Duration = Duration::from_secs(10);
/// The wait that these numbers are of.
const WAIT: Duration = Duration::from_millis(50);

/// The backpressure of one lane.
#[derive(Debug, Default)]
pub(super) struct Backpressure {
    drained: Arc<Notify>,
    stalled: Option<Stalled>,
    /// How many have left the queue so far.
    dequeued: u64,
}

/// A lane that nobody waits for. Whether it moves again is seen from what leaves it, and not by waiting.
#[derive(Debug, Clone, Copy)]
struct Stalled {
    since: Instant,
    /// How many had left the queue then.
    dequeued: u64,
}

/// A queue that a post waits for.
pub(in crate::dispatch) struct LongQueue {
    pub(in crate::dispatch) endpoint: EndpointId,
    pub(in crate::dispatch) length: usize,
    /// Notified when it has become shorter. It was made together with `length`, so that nothing in between is missed.
    pub(in crate::dispatch) drained: OwnedNotified,
    pub(in crate::dispatch) dequeued: u64,
}

impl Backpressure {
    /// What to wait for at this lane, unless it is stalled.
    pub(super) fn long_queue(&self, endpoint: EndpointId, length: usize) -> Option<LongQueue> {
        self.stalled.is_none().then(|| LongQueue {
            endpoint,
            length,
            drained: self.drained.clone().notified_owned(),
            dequeued: self.dequeued,
        })
    }

    /// One has left the queue, which is long from `long` on. Wakes one post for each that leaves, and all when the queue is
    /// half as long.
    pub(super) fn note_dequeued(&mut self, length: usize, long: usize, now: Instant) {
        self.dequeued += 1;
        if let Some(stalled) = self.stalled
            && now >= stalled.since + STALLED_FOR
        {
            self.look_again(stalled, now);
        }
        if length < long / 2 {
            self.drained.notify_waiters();
        } else if length < long {
            self.drained.notify_one();
        }
    }

    /// It is known to be slow by itself: nobody waits for it.
    pub(super) fn stall(&mut self, now: Instant) {
        self.stalled = Some(Stalled { since: now, dequeued: self.dequeued });
    }

    /// Whether a stalled lane has moved since.
    fn look_again(&mut self, stalled: Stalled, now: Instant) {
        let waits = (now - stalled.since).as_secs_f64() / WAIT.as_secs_f64();
        let least = waits * MIN_DEQUEUED_WHEN_SATURATED as f64;
        if ((self.dequeued - stalled.dequeued) as f64) < least {
            self.stall(now);
        } else {
            self.stalled = None;
        }
    }

    /// A post has waited for one interval; when it began, `dequeued_before` had left the queue.
    fn note_wait(&mut self, dequeued_before: u64, saturated: bool, now: Instant) {
        let least = if saturated { MIN_DEQUEUED_WHEN_SATURATED } else { MIN_DEQUEUED };
        if self.dequeued < dequeued_before + least {
            self.stall(now);
        }
    }
}

impl<T: Queued> Lanes<T> {
    /// The longest of these endpoints' queues of first attempts that posts have to wait for.
    pub(in crate::dispatch) fn longest_queue(
        &self,
        endpoints: impl Iterator<Item = EndpointId>,
    ) -> Option<LongQueue> {
        let lanes = endpoints.filter_map(|id| self.registry.lane(id)).filter(|lane| lane.has_long_queue());
        let queues = lanes
            .filter_map(|lane| lane.backpressure.long_queue(lane.endpoint.id, lane.first_attempts.len()));
        queues.max_by_key(|queue| queue.length)
    }

    /// A post has waited for this lane for one interval; when it began, `dequeued_before` had left its queue.
    pub(in crate::dispatch) fn note_wait(
        &mut self,
        endpoint: EndpointId,
        dequeued_before: u64,
        saturated: bool,
        now: Instant,
    ) {
        if let Some(lane) = self.registry.lane_mut(endpoint) {
            lane.backpressure.note_wait(dequeued_before, saturated, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn for_each_that_leaves_one_may_come_and_all_when_most_have_left() {
        let mut lane = Backpressure::default();
        let now = Instant::now();
        let wait = || Box::pin(lane.long_queue(EndpointId::generate(), 10).unwrap().drained);
        let mut waiting: Vec<_> = (0..5).map(|_| wait()).collect();
        let context = &mut Context::from_waker(Waker::noop());
        let mut still_waiting = || {
            waiting.retain_mut(|waiter| waiter.as_mut().poll(context) == Poll::Pending);
            waiting.len()
        };
        assert_eq!(still_waiting(), 5);
        lane.note_dequeued(10, 10, now);
        assert_eq!(still_waiting(), 5, "the queue is as long as it was");
        lane.note_dequeued(9, 10, now);
        lane.note_dequeued(8, 10, now);
        assert_eq!(still_waiting(), 3);
        lane.note_dequeued(4, 10, now);
        assert_eq!(still_waiting(), 0);
    }

    #[test]
    fn what_happens_between_the_look_at_a_queue_and_the_wait_is_not_missed() {
        let mut lane = Backpressure::default();
        let context = &mut Context::from_waker(Waker::noop());
        for (length, which) in [(4, "all are woken"), (9, "one is woken")] {
            let queue = lane.long_queue(EndpointId::generate(), 10);
            let mut drained = Box::pin(queue.unwrap().drained);
            lane.note_dequeued(length, 10, Instant::now());
            assert_eq!(drained.as_mut().poll(context), Poll::Ready(()), "{which}");
        }
    }

    #[test]
    fn nobody_waits_for_a_lane_that_hardly_moves() {
        let (endpoint, now) = (EndpointId::generate(), Instant::now());
        let mut lane = Backpressure::default();
        let queue = lane.long_queue(endpoint, 10).unwrap();
        for _ in 0..MIN_DEQUEUED_WHEN_SATURATED {
            lane.note_dequeued(10, 10, now);
        }
        lane.note_wait(queue.dequeued, true, now);
        let queue = lane.long_queue(endpoint, 10).expect("it moves");
        lane.note_wait(queue.dequeued, false, now);
        assert!(lane.long_queue(endpoint, 10).is_none());
    }

    #[test]
    fn whether_a_stalled_lane_moves_again_is_seen_without_waiting_for_it() {
        let (endpoint, began) = (EndpointId::generate(), Instant::now());
        let mut lane = Backpressure::default();
        lane.stall(began);
        // Ten a second are few: it stays stalled, also in the next while.
        for tenth in 1..=300 {
            lane.note_dequeued(10, 10, began + Duration::from_millis(100) * tenth);
            assert!(lane.long_queue(endpoint, 10).is_none());
        }
        // A thousand a second are not.
        for ms in 30_000..41_000 {
            lane.note_dequeued(10, 10, began + Duration::from_millis(ms));
        }
        assert!(lane.long_queue(endpoint, 10).is_some());
    }
}
