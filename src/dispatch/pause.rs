//! Whether everything is paused: the database says it, a notice makes a node ask at once, and polling is the net.
//! A pause takes nothing new on and hands back what is queued, as held; what is in flight finishes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Dispatcher;

const POLL_EVERY: Duration = Duration::from_secs(5);
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Follows for ever. Until it is known, nothing goes.
pub(super) async fn follow(dispatcher: Arc<Dispatcher>) {
    loop {
        let _ = tokio::time::timeout(POLL_EVERY, dispatcher.pause_changed.notified()).await;
        match dispatcher.parts.queue.dispatching().await {
            Ok(now) if now.paused => dispatcher.pause(),
            Ok(now) => dispatcher.resume(now.just_resumed),
            Err(error) => {
                tracing::debug!(%error, "whether everything is paused could not be asked");
                tokio::time::sleep(ASK_AGAIN_AFTER).await;
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
        self.give_back(queued, true);
    }

    /// Goes on, if it was paused. While it was resumed a moment ago, new lanes begin slowly.
    fn resume(self: &Arc<Self>, just_resumed: bool) {
        let mut lanes = self.lanes();
        lanes.suspend_all(false);
        let was_paused = lanes.is_paused();
        if was_paused {
            lanes.resume();
        }
        lanes.begin_slowly(just_resumed);
        drop(lanes);
        if was_paused {
            tracing::info!("dispatching goes on");
            self.agenda.sweep_by(Instant::now());
        }
        self.pump();
    }
}
