//! Posts wait for deliveries. A post to an endpoint whose lane has a long queue waits until some of it has been sent: so
//! queues stay short under any load, and deliveries need not go to the queue in the database for lack of memory, which
//! costs several times as much.
//!
//! Nobody waits long for an endpoint that is slow by itself: for a moment where the lane moves fast, and longer only while
//! the dispatcher's threads are busy all the time, which means that this node can send no faster.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::domain::id::EndpointId;
use crate::telemetry::metrics;

use super::Dispatcher;
use super::lanes::{Lanes, Queued};

/// The longest that a post waits while the threads are saturated. Otherwise it waits for one
/// interval.
const MAX_WAIT_WHEN_SATURATED: Duration = Duration::from_secs(1);
const WAIT_INTERVAL: Duration = Duration::from_millis(50);
/// Threads are saturated when they are busy for more than this share of the time.
const SATURATED_SHARE: f64 = 0.9;

/// How busy threads are.
pub(super) struct ThreadLoad {
    last: Mutex<Sample>,
}

struct Sample {
    at: Instant,
    busy: Duration,
    saturated: bool,
}

impl ThreadLoad {
    /// How often it is measured at most.
    const SAMPLE_EVERY: Duration = Duration::from_millis(10);

    pub(super) fn new() -> Self {
        Self { last: Mutex::new(Sample { at: Instant::now(), busy: Duration::ZERO, saturated: false }) }
    }

    /// Whether these threads have been busy all the time lately.
    fn is_saturated(&self, threads: &Handle) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = last.at.elapsed();
        if elapsed >= Self::SAMPLE_EVERY {
            let metrics = threads.metrics();
            let workers = metrics.num_workers();
            let busy = (0..workers).map(|worker| metrics.worker_total_busy_duration(worker)).sum();
            let lately = Duration::saturating_sub(busy, last.busy);
            let saturated = lately.as_secs_f64() > SATURATED_SHARE * elapsed.as_secs_f64() * workers as f64;
            *last = Sample { at: Instant::now(), busy, saturated };
        }
        last.saturated
    }
}

impl Dispatcher {
    /// Waits while these endpoints' lanes have long queues that become shorter.
    pub async fn wait_for_long_queues(&self, endpoints: impl Iterator<Item = EndpointId> + Clone) {
        let saturated = || self.thread_load.is_saturated(&self.deps.threads);
        wait_for_long_queues(|| self.lanes(), endpoints, saturated).await;
    }
}

/// The same for any lanes, with whether their threads are saturated.
async fn wait_for_long_queues<'a, T: Queued + 'a>(
    lanes: impl Fn() -> MutexGuard<'a, Lanes<T>>,
    endpoints: impl Iterator<Item = EndpointId> + Clone,
    saturated: impl Fn() -> bool,
) {
    let began = Instant::now();
    while began.elapsed() < MAX_WAIT_WHEN_SATURATED {
        let longest = lanes().longest_queue(endpoints.clone());
        let Some(queue) = longest else { return };
        metrics::current().post_waits.increment(1);
        if tokio::time::timeout(WAIT_INTERVAL, queue.drained).await.is_ok() {
            return;
        }
        let saturated = saturated();
        lanes().note_wait(queue.endpoint, queue.dequeued, saturated, Instant::now());
        if !saturated {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
