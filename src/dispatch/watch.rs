//! What keeps lanes true to the world: notices of changed configuration and of due work, the clock for lanes with
//! a pace, and the return of what has been in memory for too long.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::endpoint::Endpoint;
use crate::domain::id::ApplicationId;
use crate::store::Notice;

use super::{Dispatcher, LONGEST_IN_MEMORY};

const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(1);
const ANNOUNCE_EVERY: Duration = Duration::from_millis(100);

/// Follows notices for ever.
pub(super) async fn follow_notices(dispatcher: Arc<Dispatcher>) {
    loop {
        match dispatcher.parts.store.listen().await {
            Ok(mut notices) => {
                dispatcher.refresh_all().await;
                loop {
                    match notices.next().await {
                        Ok(Notice::Changed(application)) => dispatcher.refresh(application).await,
                        Ok(Notice::Due) => dispatcher.next_due.now(),
                        Ok(Notice::Paused) => dispatcher.pause_changed.notify_one(),
                        Ok(Notice::Reconnected) => dispatcher.refresh_all().await,
                        Err(error) => {
                            tracing::warn!(%error, "notices stopped");
                            break;
                        }
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "cannot listen for notices"),
        }
        tokio::time::sleep(PAUSE_AFTER_ERROR).await;
    }
}

impl Dispatcher {
    async fn refresh_all(&self) {
        self.pause_changed.notify_one();
        self.parts.pictures.forget_all();
        let tenants = self.lanes().tenants();
        for tenant in tenants {
            self.refresh_lanes(tenant).await;
        }
        self.next_due.now();
    }

    async fn refresh(&self, application: ApplicationId) {
        self.parts.pictures.forget(application).await;
        self.refresh_lanes(application).await;
        // An endpoint that was enabled may have been holding deliveries.
        self.next_due.now();
    }

    /// Brings a tenant's lanes up to date. Endpoints that are gone give back what they had.
    async fn refresh_lanes(&self, application: ApplicationId) {
        let endpoints = self.lanes().endpoints_of(application);
        if endpoints.is_empty() {
            return;
        }
        let picture = match self.parts.pictures.get(application).await {
            Ok(picture) => picture,
            Err(error) => {
                tracing::warn!(%error, %application, "an application's picture could not be loaded");
                return;
            }
        };
        for id in endpoints {
            match picture.as_ref().and_then(|picture| picture.endpoint(id)) {
                Some(endpoint) => self.update_endpoint(endpoint).await,
                None => {
                    let back = self.lanes().drain(id);
                    self.give_back(back, true).await;
                }
            }
        }
    }

    /// The endpoint's newest picture that its lane knows.
    pub(super) fn current(&self, endpoint: &Arc<Endpoint>) -> Arc<Endpoint> {
        self.lanes().picture(endpoint.id).unwrap_or_else(|| endpoint.clone())
    }
}

/// Lets lanes with a pace go when their moment comes.
pub(super) async fn pace(dispatcher: Arc<Dispatcher>) {
    loop {
        let paced = dispatcher.paced.notified();
        let wake = dispatcher.lanes().next_wake();
        match wake {
            None => paced.await,
            Some(at) => {
                tokio::select! {
                    () = tokio::time::sleep_until(at.into()) => dispatcher.pump(),
                    () = paced => {}
                }
            }
        }
    }
}

/// Tells other nodes of what was spilled here: at most ten times a second, and never inside the ingest transaction.
pub(super) async fn announce(dispatcher: Arc<Dispatcher>) {
    loop {
        dispatcher.spilled.notified().await;
        if let Err(error) = dispatcher.parts.store.announce_due().await {
            tracing::debug!(%error, "other nodes could not be told of due work; they poll");
        }
        tokio::time::sleep(ANNOUNCE_EVERY).await;
    }
}

/// Gives back what has waited in memory for too long.
pub(super) async fn return_the_old(dispatcher: Arc<Dispatcher>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(5));
    loop {
        ticks.tick().await;
        let Some(moment) = Instant::now().checked_sub(LONGEST_IN_MEMORY) else { continue };
        let old = dispatcher.lanes().drain_before(moment);
        dispatcher.give_back(old, false).await;
    }
}
