//! How many answers that go on for long a node gives at a time: in all, to one credential, and to one tenant, who makes as
//! many credentials as it likes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::credential::Caller;
use super::error::ApiError;

/// When to come back where there are too many.
const COME_BACK_AFTER_SECONDS: u32 = 5;

/// How many streams of a kind there may be.
#[derive(Debug, Clone, Copy)]
pub struct MaxStreams {
    /// In all.
    pub all: usize,
    /// Of one credential.
    pub of_credential: usize,
    /// Of one tenant.
    pub of_tenant: usize,
}

#[derive(Clone, Default)]
struct Counts(Arc<Mutex<HashMap<String, usize>>>);

/// The room that there is for streams of a kind.
pub struct StreamRooms {
    all: Arc<Semaphore>,
    max: MaxStreams,
    counts: Counts,
}

/// The room for a stream. It is given back when this is dropped.
pub(in crate::api) struct StreamRoom {
    _one_of_all: OwnedSemaphorePermit,
    _of_credential: Counted,
    _of_tenant: Option<Counted>,
}

/// One that is counted until this is dropped.
struct Counted {
    key: String,
    counts: Counts,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

impl Counts {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more of this key's, if it has fewer than so many.
    fn count(&self, key: String, most: usize) -> Result<Counted, ApiError> {
        let mut counts = self.lock();
        let count = counts.entry(key.clone()).or_default();
        if *count >= most {
            return Err(ApiError::TooManyRequests(COME_BACK_AFTER_SECONDS));
        }
        *count += 1;
        drop(counts);
        Ok(Counted { key, counts: self.clone() })
    }
}

impl StreamRooms {
    /// Room for so many.
    pub fn new(max: MaxStreams) -> Self {
        Self { all: Arc::new(Semaphore::new(max.all)), max, counts: Counts::default() }
    }

    /// Room for one more of a caller's.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] when this node serves enough, [`ApiError::TooManyRequests`] when it serves this credential or
    /// this tenant enough.
    pub(in crate::api) fn room_for(&self, caller: &Caller) -> Result<StreamRoom, ApiError> {
        let too_many = |_| ApiError::Overloaded(COME_BACK_AFTER_SECONDS);
        let one_of_all = self.all.clone().try_acquire_owned().map_err(too_many)?;
        let actor = caller.actor();
        let credential = format!("{} {} {}", actor.kind.name(), actor.id, caller.identity());
        let of_credential = self.counts.count(credential, self.max.of_credential)?;
        let tenant = caller.own_application();
        let of_tenant =
            tenant.map(|id| self.counts.count(format!("tenant {id}"), self.max.of_tenant)).transpose()?;
        Ok(StreamRoom { _one_of_all: one_of_all, _of_credential: of_credential, _of_tenant: of_tenant })
    }
}
