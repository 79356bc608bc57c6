//! What keeps lanes true to the world: notices of changed configuration and of due work, the clock for lanes with
//! a pace, and the return of what has been in memory for too long.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::domain::endpoint::Endpoint;
use crate::domain::id::{ApplicationId, EndpointId};
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
                        Ok(Notice::Due(endpoints)) => dispatcher.hasten(&endpoints),
                        Ok(Notice::AnyDue) => dispatcher.agenda.sweep_by(Instant::now()),
                        Ok(Notice::KeyRevoked(hash)) => dispatcher.parts.credentials.forget_key(&hash).await,
                        Ok(Notice::TokensTakenBack(application)) => {
                            dispatcher.parts.credentials.forget_tokens(application).await;
                        }
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
    fn hasten(&self, endpoints: &[EndpointId]) {
        let now = Instant::now();
        endpoints.iter().for_each(|endpoint| self.agenda.hasten(*endpoint, now));
    }

    async fn refresh_all(&self) {
        self.pause_changed.notify_one();
        self.parts.credentials.forget_all();
        self.parts.pictures.forget_all();
        let tenants = self.lanes().tenants();
        for tenant in tenants {
            self.refresh_lanes(tenant).await;
        }
        self.agenda.sweep_by(Instant::now());
    }

    async fn refresh(&self, application: ApplicationId) {
        self.parts.pictures.forget(application).await;
        self.refresh_lanes(application).await;
        // An endpoint that was enabled may have been holding deliveries.
        self.agenda.sweep_by(Instant::now());
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

/// The endpoints for which something was stored that any node may claim.
#[derive(Default)]
pub(super) struct Spilled {
    endpoints: Mutex<HashSet<EndpointId>>,
    some: Notify,
}

impl Spilled {
    pub(super) fn add(&self, endpoint: EndpointId) {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner).insert(endpoint);
        self.some.notify_one();
    }

    async fn take(&self) -> Vec<EndpointId> {
        self.some.notified().await;
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner).drain().collect()
    }
}

/// Tells other nodes of what was spilled here: at most ten times a second, and never inside the ingest transaction.
pub(super) async fn announce(dispatcher: Arc<Dispatcher>) {
    loop {
        let endpoints = dispatcher.spilled.take().await;
        if let Err(error) = dispatcher.parts.store.announce_due(&endpoints).await {
            tracing::debug!(%error, "other nodes could not be told of due work; their sweeps find it");
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
