//! How one lane holds up those who fill it: whom it calls when some of its queue has gone, and when waiting for it is in
//! vain. `keep_pace.rs` has those who wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use crate::domain::id::EndpointId;

/// A lane that lets fewer go in a round is slow by itself: while the threads have no time, and otherwise.
const FEW: u64 = 4;
const FEW_WITH_TIME: u64 = 50;
/// For so long nobody waits for it.
const IN_VAIN: Duration = Duration::from_secs(10);

/// How a lane holds up those who fill it.
#[derive(Debug, Default)]
pub(in crate::dispatch) struct Backpressure {
    eased: Arc<Notify>,
    in_vain_until: Option<Instant>,
    let_go: u64,
}

/// What a post waits for.
pub(in crate::dispatch) struct Queue {
    pub(in crate::dispatch) endpoint: EndpointId,
    pub(in crate::dispatch) length: usize,
    /// Made with the look at the queue, so that it hears what happens after it.
    pub(in crate::dispatch) eased: OwnedNotified,
    pub(in crate::dispatch) let_go: u64,
}

impl Backpressure {
    /// What to wait for at this lane, unless that was in vain a while ago.
    pub(in crate::dispatch) fn queue(
        &self,
        endpoint: EndpointId,
        length: usize,
        now: Instant,
    ) -> Option<Queue> {
        let worth_while = self.in_vain_until.is_none_or(|until| until <= now);
        worth_while.then(|| Queue {
            endpoint,
            length,
            eased: self.eased.clone().notified_owned(),
            let_go: self.let_go,
        })
    }

    /// One has gone. For each that goes one may come, and all when most of the queue is gone.
    pub(in crate::dispatch) fn ease(&mut self, length: usize, most: usize) {
        self.let_go += 1;
        if length < most / 2 {
            self.eased.notify_waiters();
        } else if length < most {
            self.eased.notify_one();
        }
    }

    /// Somebody has waited for a round since it had let so many go.
    pub(in crate::dispatch) fn judge(&mut self, let_go: u64, strained: bool, now: Instant) {
        if self.let_go < let_go + if strained { FEW } else { FEW_WITH_TIME } {
            self.in_vain_until = Some(now + IN_VAIN);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn for_each_that_goes_one_may_come_and_all_when_most_have_gone() {
        let mut lane = Backpressure::default();
        let now = Instant::now();
        let wait = || Box::pin(lane.queue(EndpointId::generate(), 10, now).unwrap().eased);
        let mut waiting: Vec<_> = (0..5).map(|_| wait()).collect();
        let context = &mut Context::from_waker(Waker::noop());
        let mut still_waiting = || {
            waiting.retain_mut(|waiter| waiter.as_mut().poll(context) == Poll::Pending);
            waiting.len()
        };
        assert_eq!(still_waiting(), 5);
        lane.ease(10, 10);
        assert_eq!(still_waiting(), 5, "the queue is as long as it was");
        lane.ease(9, 10);
        lane.ease(8, 10);
        assert_eq!(still_waiting(), 3);
        lane.ease(4, 10);
        assert_eq!(still_waiting(), 0);
    }

    #[test]
    fn what_happens_between_the_look_at_a_queue_and_the_wait_is_heard() {
        let mut lane = Backpressure::default();
        let context = &mut Context::from_waker(Waker::noop());
        for (length, which) in [(4, "all are called"), (9, "one is called")] {
            let mut eased = Box::pin(lane.queue(EndpointId::generate(), 10, Instant::now()).unwrap().eased);
            lane.ease(length, 10);
            assert_eq!(eased.as_mut().poll(context), Poll::Ready(()), "{which}");
        }
    }

    #[test]
    fn nobody_waits_for_a_lane_that_hardly_moves() {
        let (endpoint, now) = (EndpointId::generate(), Instant::now());
        let mut lane = Backpressure::default();
        let queue = lane.queue(endpoint, 10, now).unwrap();
        for _ in 0..FEW {
            lane.ease(10, 10);
        }
        lane.judge(queue.let_go, true, now);
        let queue = lane.queue(endpoint, 10, now).expect("it moves");
        lane.judge(queue.let_go, false, now);
        assert!(lane.queue(endpoint, 10, now).is_none());
        assert!(lane.queue(endpoint, 10, now + IN_VAIN).is_some(), "it may have changed");
    }
}
