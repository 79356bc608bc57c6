//! Whether everything is paused. The database says so; a notice makes a node ask at once, and it asks every few seconds in
//! case a notice was missed. While everything is paused, nothing new is taken on, and what is queued goes back as held;
//! what is in flight finishes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Dispatcher;

const POLL_INTERVAL: Duration = Duration::from_secs(5);
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(500);

/// Follows for ever. After a notice, nothing is sent until the database has answered.
pub(super) async fn run(dispatcher: Arc<Dispatcher>) {
    loop {
        let _ = tokio::time::timeout(POLL_INTERVAL, dispatcher.pause_changed.notified()).await;
        match dispatcher.deps.queue.dispatching().await {
            Ok(now) if now.paused => dispatcher.pause(),
            Ok(now) => dispatcher.resume(now.just_resumed),
            Err(error) => {
                tracing::debug!(%error, "whether everything is paused could not be asked");
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                dispatcher.pause_changed.notify_one();
            }
        }
    }
}

impl Dispatcher {
    fn pause(&self) {
        let queued = {
            let mut lanes = self.lanes();
            lanes.suspend_all(false);
            if lanes.is_paused() {
                return;
            }
            lanes.pause()
        };
        tracing::info!(queued = queued.len(), "dispatching is paused");
        self.hand_back(queued, true);
    }

    /// Goes on, if it was paused. If it was resumed a moment ago, new lanes open gently.
    fn resume(self: &Arc<Self>, just_resumed: bool) {
        let mut lanes = self.lanes();
        lanes.suspend_all(false);
        let was_paused = lanes.is_paused();
        if was_paused {
            lanes.resume();
        }
        lanes.set_just_resumed(just_resumed);
        drop(lanes);
        if was_paused {
            tracing::info!("dispatching goes on");
            self.claim_schedule.sweep_no_later_than(Instant::now());
        }
        self.send_ready();
    }
}
