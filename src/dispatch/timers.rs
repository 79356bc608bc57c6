//! What happens in lanes because time has passed: rate limits allow more, and what is too old goes back into the queue.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Dispatcher;

/// What has been in memory for longer goes back into the queue, so that the low-water mark advances.
const MAX_AGE_IN_MEMORY: Duration = Duration::from_secs(60);
/// How often it is looked for.
const AGE_CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Lanes that are forgotten under one lock of the lanes.
const MAX_FORGOTTEN_AT_ONCE: usize = 1_000;

/// Lets lanes and tenants send again when their rate limits allow it.
pub(super) async fn wake_rate_limited(dispatcher: Arc<Dispatcher>) {
    loop {
        let rate_limited = dispatcher.rate_limited.notified();
        let next = dispatcher.lanes().next_rate_limited_at();
        match next {
            None => rate_limited.await,
            Some(at) => {
                tokio::select! {
                    () = tokio::time::sleep_until(at.into()) => {
                        // While nothing may be sent, `send_ready` does not look at the lanes.
                        dispatcher.lanes().wake_rate_limited(Instant::now());
                        dispatcher.send_ready();
                    }
                    () = rate_limited => {}
                }
            }
        }
    }
}

/// Hands back what has been in memory for too long, and forgets lanes that have had no work for long enough.
pub(super) async fn hand_back_old(dispatcher: Arc<Dispatcher>) {
    let mut ticks = tokio::time::interval(AGE_CHECK_INTERVAL);
    loop {
        ticks.tick().await;
        let Some(moment) = Instant::now().checked_sub(MAX_AGE_IN_MEMORY) else { continue };
        let old = dispatcher.lanes().drain_before(moment);
        dispatcher.hand_back(old, false);
        while dispatcher.lanes().forget_expired(Instant::now(), MAX_FORGOTTEN_AT_ONCE) {
            tokio::task::yield_now().await;
        }
    }
}
