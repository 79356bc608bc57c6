//! What happens now, for those who watch. Any node serves a stream of any node's events.
//!
//! Nobody watches: each place that could tell something reads one flag. Somebody watches: the node that serves the stream tells
//! all others, every two seconds, whose events are wanted (`hub.rs`); each node then counts what happens to those in its own
//! memory, keeps a sample (`tap.rs`), and tells it four times a second at most by notices of their own (`publish.rs`), never in
//! a statement that accepts or records. The node that serves the stream listens to these on a connection of its own, while
//! there is somebody to serve.
//!
//! It is no record: what is not told in time is counted at best, and nothing is replayed.

mod hub;
mod publish;
mod tap;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::domain::id::{ApplicationId, EndpointId};
use crate::domain::live::report::{AttemptSeen, MessageSeen};
use crate::domain::live::scope::Scope;
use crate::store::LiveStore;

use tap::Tap;

pub use hub::Hub;
pub use hub::Subscription;

/// Where things happen that are told. Cheap to clone.
#[derive(Clone, Default)]
pub struct Live(Arc<Inner>);

#[derive(Default)]
struct Inner {
    is_watched: AtomicBool,
    tap: Mutex<Tap>,
    began: Notify,
}

impl Live {
    /// Tells what happens until it is stopped. Returns where streams get it.
    pub fn start(&self, store: &LiveStore, stop: &CancellationToken) -> Hub {
        let publishing = publish::run(self.clone(), store.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(publishing));
        Hub::start(store.clone(), self.clone(), stop.clone())
    }

    fn tap(&self) -> MutexGuard<'_, Tap> {
        self.0.tap.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anybody watches anything.
    pub fn is_watched(&self) -> bool {
        self.0.is_watched.load(Ordering::Relaxed)
    }

    /// Somebody watches these, for a while.
    pub fn watch(&self, scopes: Vec<Scope>) {
        if scopes.is_empty() {
            return;
        }
        let mut tap = self.tap();
        tap.watch(scopes, Instant::now());
        self.0.is_watched.store(true, Ordering::Relaxed);
        drop(tap);
        self.0.began.notify_one();
    }

    /// A message was accepted for these endpoints. `seen` is made only if it is told.
    pub fn accepted(
        &self,
        application: ApplicationId,
        endpoints: impl Iterator<Item = EndpointId>,
        seen: impl Fn() -> MessageSeen,
    ) {
        if self.is_watched() {
            self.tap().accept(application, endpoints, seen);
        }
    }

    /// An attempt at an endpoint was recorded. `seen` is made only if it is told.
    pub fn recorded(
        &self,
        application: ApplicationId,
        endpoint: EndpointId,
        delivered: bool,
        seen: impl Fn() -> AttemptSeen,
    ) {
        if self.is_watched() {
            self.tap().record(application, endpoint, delivered, seen);
        }
    }

    /// Returns when somebody watches.
    async fn until_watched(&self) {
        while !self.is_watched() {
            self.0.began.notified().await;
        }
    }
}
