//! Brings an application's lanes up to date after it has changed. They are suspended until then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::application::Application;
use crate::domain::endpoint::Endpoint;
use crate::domain::id::ApplicationId;

use super::Dispatcher;

/// It may have changed again while it was loaded.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Its deliveries wait, so it is not left alone for long.
const MAX_PAUSE: Duration = Duration::from_secs(5);

impl Dispatcher {
    /// Forgets an application that changed, and suspends its lanes until they have its new snapshot.
    pub(super) fn refresh(self: &Arc<Self>, application: ApplicationId) {
        self.deps.snapshots.forget(application);
        let has_lanes = self.lanes().suspend(application);
        if has_lanes {
            let dispatcher = self.clone();
            self.deps.threads.spawn(async move { dispatcher.refresh_lanes(application).await });
        }
        // If an endpoint was enabled, what it held is due.
        self.claim_schedule.sweep_no_later_than(Instant::now());
    }

    /// Loads the new snapshot until the lanes have taken it over. Lanes of endpoints that are gone hand back what they had.
    async fn refresh_lanes(self: &Arc<Self>, application: ApplicationId) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.deps.snapshots.get(application).await {
                Ok(snapshot) if self.apply_snapshot(application, snapshot.as_ref()) => {
                    return self.send_ready();
                }
                // It has changed again, or this node does not receive notices: this is tried until it succeeds.
                Ok(_) => {}
                Err(error) => {
                    let error: &dyn std::error::Error = &*error;
                    tracing::warn!(error, %application, "an application could not be loaded; its deliveries wait");
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// Gives the tenant's lanes a snapshot. False when it is not the current one any more.
    fn apply_snapshot(&self, application: ApplicationId, snapshot: Option<&Arc<Application>>) -> bool {
        let mut drained = Vec::new();
        let mut lanes = self.lanes();
        if snapshot.is_some_and(|snapshot| !self.deps.snapshots.is_current(snapshot)) {
            return false;
        }
        let now = Instant::now();
        for id in lanes.endpoints_of(application) {
            let endpoint = snapshot.and_then(|snapshot| snapshot.endpoint(id));
            let queued = match endpoint {
                Some(endpoint) => lanes.update(endpoint, now),
                None => lanes.delete(id),
            };
            drained.push((queued, endpoint.is_none_or(|endpoint| endpoint.closed)));
        }
        drop(lanes);
        drained.into_iter().for_each(|(queued, held)| self.hand_back(queued, held));
        true
    }

    /// The endpoint's newest snapshot that its lane has.
    pub(super) fn newest_snapshot(&self, endpoint: &Arc<Endpoint>) -> Arc<Endpoint> {
        self.lanes().snapshot(endpoint.id).unwrap_or_else(|| endpoint.clone())
    }
}
