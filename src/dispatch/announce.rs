//! Tells other nodes for which endpoints something was stored here that any node may claim: at most ten times a second, and
//! never inside the ingest transaction.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::domain::id::EndpointId;

use super::Dispatcher;

const ANNOUNCE_INTERVAL: Duration = Duration::from_millis(100);

/// Endpoints that other nodes are to be told of.
#[derive(Default)]
pub(super) struct DueAnnouncements {
    endpoints: Mutex<HashSet<EndpointId>>,
    added: Notify,
}

impl DueAnnouncements {
    pub(super) fn add(&self, endpoint: EndpointId) {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner).insert(endpoint);
        self.added.notify_one();
    }

    async fn take(&self) -> Vec<EndpointId> {
        self.added.notified().await;
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner).drain().collect()
    }
}

/// Announces for ever.
pub(super) async fn run(dispatcher: Arc<Dispatcher>) {
    loop {
        let endpoints = dispatcher.announcements.take().await;
        if let Err(error) = dispatcher.deps.queue.announce_due(&endpoints).await {
            tracing::debug!(%error, "other nodes could not be told of due work; their sweeps find it");
        }
        tokio::time::sleep(ANNOUNCE_INTERVAL).await;
    }
}
