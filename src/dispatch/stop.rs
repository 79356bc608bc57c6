//! The orderly stop of a dispatcher.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Dispatcher;

/// After the last request, outcomes are recorded within this time, or not at all.
const FINAL_WRITES_TIMEOUT: Duration = Duration::from_secs(5);

/// The tasks that keep a dispatcher going, and how to stop them.
pub struct RunningDispatcher {
    pub(super) dispatcher: Arc<Dispatcher>,
    pub(super) stop: CancellationToken,
    pub(super) loops: JoinSet<Option<()>>,
    pub(super) writers: JoinSet<()>,
}

/// What a stop left undone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Requests that were still under way.
    pub requests: usize,
    /// Outcomes that were not recorded, or deliveries that were not handed back.
    pub unwritten: bool,
}

impl RunningDispatcher {
    /// The dispatcher.
    pub fn dispatcher(&self) -> Arc<Dispatcher> {
        self.dispatcher.clone()
    }

    /// Stops in order: claims nothing more, hands back what is queued, so that other nodes send it at once, waits for the requests under way (no longer than
    /// `timeout`), and records them all. A database that does not answer delays the end only for a while; what is not
    /// recorded then is delivered again.
    pub async fn stop(mut self, timeout: Duration) -> Unfinished {
        let write_by = Instant::now() + timeout + FINAL_WRITES_TIMEOUT;
        self.stop.cancel();
        while self.loops.join_next().await.is_some() {}
        let queued = self.dispatcher.lanes().drain_before(Instant::now());
        self.dispatcher.hand_back_to_others(queued);
        let mut unfinished = Unfinished::default();
        if tokio::time::timeout(timeout, self.dispatcher.wait_until_idle()).await.is_err() {
            unfinished.requests = self.dispatcher.load().0;
        }
        self.dispatcher.recorder.close();
        self.dispatcher.hand_backs.close();
        let writers = async { while self.writers.join_next().await.is_some() {} };
        unfinished.unwritten = tokio::time::timeout_at(write_by.into(), writers).await.is_err();
        unfinished
    }
}

impl Dispatcher {
    /// Returns when no request is under way. What has ended its requests goes over to other nodes meanwhile.
    async fn wait_until_idle(&self) {
        loop {
            let finished = self.finished.notified();
            tokio::pin!(finished);
            finished.as_mut().enable();
            self.release_idle_homes().await;
            if self.load().0 == 0 {
                return;
            }
            finished.await;
        }
    }
}
