//! How many answers that go on for long a node gives at a time: in all, and to one credential.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::credential::Caller;
use super::error::ApiError;

/// When to come back where there are too many.
const COME_BACK_AFTER_SECONDS: u32 = 5;

type ByCredential = Arc<Mutex<HashMap<String, usize>>>;

/// The room that there is for streams of a kind.
pub struct StreamRooms {
    all: Arc<Semaphore>,
    most_of_credential: usize,
    by_credential: ByCredential,
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

impl StreamRooms {
    /// Room for so many of them, and for so many of one credential.
    pub fn new(most: usize, most_of_credential: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(most)), most_of_credential, by_credential: Arc::default() }
    }

    /// Room for one more of a caller's.
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
        if *count >= self.most_of_credential {
            return Err(ApiError::TooManyRequests(COME_BACK_AFTER_SECONDS));
        }
        *count += 1;
        drop(counts);
        Ok(StreamRoom { _one_of_all: one_of_all, credential, by_credential: self.by_credential.clone() })
    }
}
