//! Those who post keep the pace of those who deliver. A post to an endpoint whose lane has a queue waits until the lane
//! has let some go: so queues stay short under any load, and what waits in memory need not be spilled, which costs
//! several times as much.
//!
//! Nobody waits long for an endpoint that is slow by itself: for a moment where the lane moves fast, and longer only
//! while the dispatcher's threads are busy all the time, so that it is this node that can go no faster.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use crate::domain::id::EndpointId;

use super::Dispatcher;
use super::lanes::Lanes;

/// The longest that a post waits while the threads have no time, and otherwise.
const LONGEST: Duration = Duration::from_secs(1);
const ROUND: Duration = Duration::from_millis(50);
/// A lane that lets fewer go in a round is slow by itself: while the threads have no time, and otherwise.
const FEW: u64 = 4;
const FEW_WITH_TIME: u64 = 50;
/// For so long nobody waits for it.
const IN_VAIN: Duration = Duration::from_secs(10);

/// How a lane holds up those who fill it.
#[derive(Debug, Default)]
pub(super) struct Backpressure {
    eased: Arc<Notify>,
    in_vain_until: Option<Instant>,
    let_go: u64,
}

/// What a post waits for.
pub(super) struct Queue {
    pub(super) endpoint: EndpointId,
    pub(super) length: usize,
    /// Made with the look at the queue, so that it hears what happens after it.
    eased: OwnedNotified,
    pub(super) let_go: u64,
}

impl Backpressure {
    /// What to wait for at this lane, unless that was in vain a while ago.
    pub(super) fn queue(&self, endpoint: EndpointId, length: usize, now: Instant) -> Option<Queue> {
        let worth_while = self.in_vain_until.is_none_or(|until| until <= now);
        worth_while.then(|| Queue {
            endpoint,
            length,
            eased: self.eased.clone().notified_owned(),
            let_go: self.let_go,
        })
    }

    /// One has gone. For each that goes one may come, and all when most of the queue is gone.
    pub(super) fn ease(&mut self, length: usize, most: usize) {
        self.let_go += 1;
        if length < most / 2 {
            self.eased.notify_waiters();
        } else if length < most {
            self.eased.notify_one();
        }
    }

    /// Somebody has waited for a round since it had let so many go.
    pub(super) fn judge(&mut self, let_go: u64, strained: bool, now: Instant) {
        if self.let_go < let_go + if strained { FEW } else { FEW_WITH_TIME } {
            self.in_vain_until = Some(now + IN_VAIN);
        }
    }
}

/// Whether threads have time.
pub(super) struct Strain {
    last: Mutex<Sample>,
}

struct Sample {
    at: Instant,
    busy: Duration,
    strained: bool,
}

impl Strain {
    /// So much is measured at a time.
    const SPAN: Duration = Duration::from_millis(10);

    pub(super) fn new() -> Self {
        Self { last: Mutex::new(Sample { at: Instant::now(), busy: Duration::ZERO, strained: false }) }
    }

    /// Whether these threads were busy for nine tenths of the time, lately.
    fn of(&self, threads: &Handle) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let span = last.at.elapsed();
        if span >= Self::SPAN {
            let metrics = threads.metrics();
            let workers = metrics.num_workers();
            let busy = (0..workers).map(|worker| metrics.worker_total_busy_duration(worker)).sum();
            let lately = Duration::saturating_sub(busy, last.busy);
            let strained = lately.as_secs_f64() > 0.9 * span.as_secs_f64() * workers as f64;
            *last = Sample { at: Instant::now(), busy, strained };
        }
        last.strained
    }
}

impl Dispatcher {
    /// Waits while these endpoints' lanes have a queue and move.
    pub async fn keep_pace(&self, endpoints: impl Iterator<Item = EndpointId> + Clone) {
        keep_pace(&self.lanes, endpoints, || self.strain.of(&self.parts.threads)).await;
    }
}

/// The same for any lanes, whose threads say whether they have no time.
pub(super) async fn keep_pace<T>(
    lanes: &Mutex<Lanes<T>>,
    endpoints: impl Iterator<Item = EndpointId> + Clone,
    strained: impl Fn() -> bool,
) {
    let lanes = || lanes.lock().unwrap_or_else(PoisonError::into_inner);
    let began = Instant::now();
    while began.elapsed() < LONGEST {
        let longest = lanes().longest_queue(endpoints.clone(), Instant::now());
        let Some(queue) = longest else { return };
        if tokio::time::timeout(ROUND, queue.eased).await.is_ok() {
            return;
        }
        let strained = strained();
        lanes().judge(queue.endpoint, queue.let_go, strained, Instant::now());
        if !strained {
            return;
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

    #[test]
    fn threads_that_are_busy_all_the_time_are_strained_and_idle_ones_are_not() {
        let threads =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let strain = Strain::new();
        // It is measured anew once a span is over.
        let eventually = |wanted: bool| {
            let give_up = Instant::now() + Duration::from_secs(20);
            while strain.of(threads.handle()) != wanted {
                assert!(Instant::now() < give_up, "never {wanted}");
            }
        };
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let busy = threads.spawn(async move {
            while stopped.try_recv().is_err() {
                // A turn of the scheduler, which is what a busy thread is counted by.
                tokio::task::yield_now().await;
            }
        });
        eventually(true);
        stop.send(()).unwrap();
        threads.block_on(busy).unwrap();
        eventually(false);
    }
}
