//! What keeps lanes true to the world: notices of changed configuration and of due work, the clock for lanes with
//! a pace, and the return of what has been in memory for too long.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::domain::application::Application;
use crate::domain::endpoint::Endpoint;
use crate::domain::id::{ApplicationId, EndpointId};
use crate::notices::HEARING_FOR;
use crate::store::{Notice, Notices};

use super::{Dispatcher, LONGEST_IN_MEMORY};

const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(200);
/// The database has so long to say that this node listens.
const LISTEN_WITHIN: Duration = Duration::from_secs(4);
const ANNOUNCE_EVERY: Duration = Duration::from_millis(100);
/// So many lanes are forgotten before others may use the lanes again.
const FORGOTTEN_AT_ONCE: usize = 1_000;

/// Follows notices for ever.
pub(super) async fn follow_notices(dispatcher: Arc<Dispatcher>) {
    let progress = dispatcher.parts.vitals.notices.clone();
    loop {
        progress.begin();
        match tokio::time::timeout(LISTEN_WITHIN, dispatcher.parts.queue.listen()).await {
            Ok(Ok(notices)) => dispatcher.hear(notices).await,
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot listen for notices");
            }
            Err(_) => tracing::warn!("the database does not answer who wants to listen for notices"),
        }
        tokio::time::sleep(PAUSE_AFTER_ERROR).await;
    }
}

impl Dispatcher {
    /// Takes notices in, until they stop.
    async fn hear(self: &Arc<Self>, mut notices: Notices) {
        self.begin_to_hear();
        loop {
            // This node hears its own heartbeats, so there is always something to hear.
            match tokio::time::timeout(HEARING_FOR, notices.next()).await {
                Ok(Ok(notice)) => self.take_notice(notice),
                Ok(Err(error)) => {
                    return tracing::warn!(error = &error as &dyn std::error::Error, "notices stopped");
                }
                Err(_) => {
                    return tracing::warn!(
                        "nothing was heard for {} s; listening anew",
                        HEARING_FOR.as_secs()
                    );
                }
            }
        }
    }

    /// Acts on a notice. Nothing here waits: when this returns, no cache answers from before it and no lane goes by
    /// what was before it.
    fn take_notice(self: &Arc<Self>, notice: Notice) {
        let own_epoch = self.parts.lease.epoch();
        match notice {
            Notice::Changed(application) => self.refresh(application),
            Notice::Due(endpoints) => self.schedule_now(&endpoints),
            Notice::AnyDue => self.agenda.sweep_by(Instant::now()),
            Notice::CredentialEnded(hash) => self.parts.credentials.forget(&hash),
            Notice::TokensTakenBack(application) => self.parts.credentials.forget_tokens(application),
            Notice::Paused => self.ask_whether_paused(),
            Notice::Reconnected => self.begin_to_hear(),
            Notice::Beat { epoch, number } if epoch == own_epoch => {
                self.parts.hearing.heard_beat(number);
                self.parts.vitals.notices.done();
                // What could not go while nothing was heard can go now.
                self.pump();
            }
            Notice::Beat { .. } => {}
            Notice::Question { epoch, number } if epoch == own_epoch => {
                self.parts.hearing.heard_answer(number, epoch);
            }
            Notice::Question { epoch, number } => {
                let queue = self.parts.queue.clone();
                self.parts.threads.spawn(async move {
                    if let Err(error) = queue.answer_node(own_epoch, epoch, number).await {
                        tracing::debug!(%error, "another node was not answered");
                    }
                });
            }
            Notice::Answer { epoch, asked_by, number } => {
                if asked_by == own_epoch {
                    self.parts.hearing.heard_answer(number, epoch);
                }
            }
        }
    }

    fn schedule_now(&self, endpoints: &[EndpointId]) {
        let now = Instant::now();
        endpoints.iter().for_each(|endpoint| self.agenda.schedule_by(*endpoint, now));
    }

    /// Anything may have happened before this moment, and nothing that happens from here on is missed.
    fn begin_to_hear(self: &Arc<Self>) {
        self.parts.credentials.forget_all();
        self.parts.snapshots.forget_all();
        self.ask_whether_paused();
        let tenants = self.lanes().tenants();
        tenants.into_iter().for_each(|tenant| self.refresh(tenant));
        self.parts.hearing.begins();
        self.agenda.sweep_at_once();
    }

    fn ask_whether_paused(&self) {
        self.lanes().suspend_all(true);
        self.pause_changed.notify_one();
    }

    /// Forgets an application that changed. Its lanes stand still until they have its new snapshot.
    fn refresh(self: &Arc<Self>, application: ApplicationId) {
        self.parts.snapshots.forget(application);
        let has_lanes = self.lanes().suspend(application);
        if has_lanes {
            let dispatcher = self.clone();
            self.parts.threads.spawn(async move { dispatcher.refresh_lanes(application).await });
        }
        // An endpoint that was enabled may have been holding deliveries.
        self.agenda.sweep_by(Instant::now());
    }

    /// Brings a tenant's lanes up to date. Endpoints that are gone give back what they had.
    async fn refresh_lanes(self: &Arc<Self>, application: ApplicationId) {
        loop {
            match self.parts.snapshots.get(application).await {
                Ok(snapshot) if self.take_over(application, snapshot.as_ref()) => return self.pump(),
                // It has changed again, or this node does not hear: whoever hears of it next tries as well.
                Ok(_) => {}
                Err(error) => {
                    let error: &dyn std::error::Error = &*error;
                    tracing::warn!(error, %application, "an application could not be loaded; its deliveries wait");
                }
            }
            tokio::time::sleep(PAUSE_AFTER_ERROR).await;
        }
    }

    /// Takes a snapshot over into the tenant's lanes. False when it is not in force any more.
    fn take_over(&self, application: ApplicationId, snapshot: Option<&Arc<Application>>) -> bool {
        let mut back = Vec::new();
        let mut lanes = self.lanes();
        if snapshot.is_some_and(|snapshot| !self.parts.snapshots.is_current(snapshot)) {
            return false;
        }
        let now = Instant::now();
        for id in lanes.endpoints_of(application) {
            let endpoint = snapshot.and_then(|snapshot| snapshot.endpoint(id));
            let queued = match endpoint {
                Some(endpoint) => lanes.update(endpoint, now),
                None => lanes.delete(id),
            };
            back.push((queued, endpoint.is_none_or(|endpoint| endpoint.closed)));
        }
        drop(lanes);
        back.into_iter().for_each(|(queued, held)| self.give_back(queued, held));
        true
    }

    /// The endpoint's newest snapshot that its lane knows.
    pub(super) fn current(&self, endpoint: &Arc<Endpoint>) -> Arc<Endpoint> {
        self.lanes().snapshot(endpoint.id).unwrap_or_else(|| endpoint.clone())
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
                    () = tokio::time::sleep_until(at.into()) => {
                        // Also while nothing may go, when a pump does not look at the lanes.
                        dispatcher.lanes().wake(Instant::now());
                        dispatcher.pump();
                    }
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
        if let Err(error) = dispatcher.parts.queue.announce_due(&endpoints).await {
            tracing::debug!(%error, "other nodes could not be told of due work; their sweeps find it");
        }
        tokio::time::sleep(ANNOUNCE_EVERY).await;
    }
}

/// Gives back what has waited in memory for too long, and forgets lanes that have had nothing to do for long enough.
pub(super) async fn return_the_old(dispatcher: Arc<Dispatcher>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(5));
    loop {
        ticks.tick().await;
        let Some(moment) = Instant::now().checked_sub(LONGEST_IN_MEMORY) else { continue };
        let old = dispatcher.lanes().drain_before(moment);
        dispatcher.give_back(old, false);
        while dispatcher.lanes().forget(Instant::now(), FORGOTTEN_AT_ONCE) {
            tokio::task::yield_now().await;
        }
    }
}
