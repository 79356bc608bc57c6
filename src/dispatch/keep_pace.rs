//! Those who post keep the pace of those who deliver. A post to an endpoint whose lane has a queue waits until the lane
//! has let some go: so queues stay short under any load, and what waits in memory need not be spilled, which costs
//! several times as much.
//!
//! Nobody waits long for an endpoint that is slow by itself: for a moment where the lane moves fast, and longer only
//! while the dispatcher's threads are busy all the time, so that it is this node that can go no faster.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::domain::id::EndpointId;

use super::Dispatcher;
use super::lanes::Lanes;
use super::lanes::lane::Queued;

/// The longest that a post waits while the threads have no time, and otherwise.
const LONGEST: Duration = Duration::from_secs(1);
const ROUND: Duration = Duration::from_millis(50);

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
        keep_pace(|| self.lanes(), endpoints, || self.strain.of(&self.parts.threads)).await;
    }
}

/// The same for any lanes, whose threads say whether they have no time.
pub(super) async fn keep_pace<'a, T: Queued + 'a>(
    lanes: impl Fn() -> MutexGuard<'a, Lanes<T>>,
    endpoints: impl Iterator<Item = EndpointId> + Clone,
    strained: impl Fn() -> bool,
) {
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
    use super::*;

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
