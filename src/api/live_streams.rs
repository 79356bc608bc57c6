//! The streams of live events that this node serves: how many there may be, and what they share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moka::future::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::id::ApplicationId;
use crate::domain::live::scope::Scope;
use crate::live::Hub;
use crate::store::{Gauges, LiveStore};

use super::credential::Caller;
use super::error::ApiError;

/// Streams of this node.
const MAX_STREAMS: usize = 200;
/// Streams of one credential on this node.
const MAX_OF_CREDENTIAL: usize = 20;
/// When to come back where there are too many.
const COME_BACK_AFTER_SECONDS: u32 = 5;
/// So long a gauge is as good as new; all streams of a scope share it.
const GAUGES_KEPT_FOR: Duration = Duration::from_secs(2);
const NAMES_KEPT_FOR: Duration = Duration::from_secs(30);
const MAX_GAUGES_KEPT: u64 = 1_000;
const MAX_NAMES_KEPT: u64 = 10_000;

type ByCredential = Arc<Mutex<HashMap<String, usize>>>;

/// The streams of this node.
pub struct LiveStreams {
    /// What they are fed from.
    pub(in crate::api) hub: Hub,
    store: LiveStore,
    all: Arc<Semaphore>,
    by_credential: ByCredential,
    gauges: Cache<Scope, Gauges>,
    names: Cache<ApplicationId, Arc<str>>,
}

/// The room for a stream. It is given back when this is dropped.
pub(in crate::api) struct StreamRoom {
    _one_of_all: OwnedSemaphorePermit,
    credential: String,
    by_credential: ByCredential,
}

impl Drop for StreamRoom {
    fn drop(&mut self) {
        let mut counts = self.by_credential.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.credential) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.credential);
            }
        }
    }
}

impl LiveStreams {
    /// None yet.
    pub fn new(hub: Hub, store: LiveStore) -> Self {
        Self {
            hub,
            store,
            all: Arc::new(Semaphore::new(MAX_STREAMS)),
            by_credential: Arc::default(),
            gauges: Cache::builder().max_capacity(MAX_GAUGES_KEPT).time_to_live(GAUGES_KEPT_FOR).build(),
            names: Cache::builder().max_capacity(MAX_NAMES_KEPT).time_to_live(NAMES_KEPT_FOR).build(),
        }
    }

    /// Room for one more stream of a caller's.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] when this node serves enough, [`ApiError::TooManyRequests`] when it serves this credential
    /// enough.
    pub(in crate::api) fn room_for(&self, caller: &Caller) -> Result<StreamRoom, ApiError> {
        let too_many = |_| ApiError::Overloaded(COME_BACK_AFTER_SECONDS);
        let one_of_all = self.all.clone().try_acquire_owned().map_err(too_many)?;
        let actor = caller.actor();
        let credential = format!("{} {} {}", actor.kind.name(), actor.id, caller.identity());
        let mut counts = self.by_credential.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(credential.clone()).or_default();
        if *count >= MAX_OF_CREDENTIAL {
            return Err(ApiError::TooManyRequests(COME_BACK_AFTER_SECONDS));
        }
        *count += 1;
        drop(counts);
        Ok(StreamRoom { _one_of_all: one_of_all, credential, by_credential: self.by_credential.clone() })
    }

    /// How much there is of a scope, as far as that is known.
    pub(in crate::api) async fn gauges(&self, scope: &Scope) -> Gauges {
        let read = self.store.gauges(scope);
        self.gauges.try_get_with_by_ref(scope, read).await.unwrap_or_default()
    }

    /// What an application is called; nothing when that cannot be found out.
    pub(in crate::api) async fn name_of(&self, application: ApplicationId) -> Arc<str> {
        let read = async {
            let name = self.store.application_name(application).await?;
            Ok::<_, crate::store::StoreError>(Arc::from(name.unwrap_or_default()))
        };
        self.names.try_get_with(application, read).await.unwrap_or_else(|_| Arc::from(""))
    }
}
