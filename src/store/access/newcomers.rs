//! Keys and sessions that were never found here: strangers make them up by the thousand, and each has to be looked for once.
//! That is done one at a time, so that a flood of them leaves connections to those whose credentials were found before.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::store::StoreError;

/// So many are looked for at a time.
const MAX_LOOK_UPS: usize = 1;
/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(3);
/// So many that were found are remembered. Whether they still hold is asked anew.
const MAX_REMEMBERED: u64 = 50_000;

/// What a credential is known by.
type Hash = [u8; 32];

/// Who was found before, and whose turn it is of the others. Cheap to clone.
#[derive(Clone)]
pub(super) struct Newcomers {
    found: Cache<Hash, ()>,
    turns: Arc<Semaphore>,
}

/// A look-up of a credential.
pub(super) struct Turn {
    found: Cache<Hash, ()>,
    hash: Hash,
    /// For one that was never found.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Default for Newcomers {
    fn default() -> Self {
        Self { found: Cache::new(MAX_REMEMBERED), turns: Arc::new(Semaphore::new(MAX_LOOK_UPS)) }
    }
}

impl Newcomers {
    /// Waits until this one may be looked for. One that was found before does not wait.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when its turn does not come for a while.
    pub(super) async fn turn(&self, hash: &Hash) -> Result<Turn, Arc<StoreError>> {
        let permit = match self.found.contains_key(hash) {
            true => None,
            false => {
                let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await;
                let too_long = || Arc::new(StoreError::Unavailable(sqlx::Error::PoolTimedOut));
                Some(turn.ok().and_then(Result::ok).ok_or_else(too_long)?)
            }
        };
        Ok(Turn { found: self.found.clone(), hash: *hash, _permit: permit })
    }
}

impl Turn {
    /// It was looked for.
    pub(super) fn end(self, was_found: bool) {
        if was_found {
            self.found.insert(self.hash, ());
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn only_those_who_were_never_found_wait_for_one_another() {
        let newcomers = Newcomers::default();
        newcomers.turn(&[1; 32]).await.unwrap().end(true);
        newcomers.turn(&[2; 32]).await.unwrap().end(false);
        let made_up = newcomers.turn(&[3; 32]).await.unwrap();
        assert!(newcomers.turn(&[2; 32]).now_or_never().is_none(), "it was not there");
        assert!(newcomers.turn(&[1; 32]).now_or_never().unwrap().is_ok(), "it was there before");
        drop(made_up);
        assert!(newcomers.turn(&[2; 32]).now_or_never().unwrap().is_ok());
    }
}
