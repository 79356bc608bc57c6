//! A bounded cache of what authentication asks the database: API keys by their hash, and which tokens of an
//! application were taken back. A revocation that was answered holds on every node: see `notices/`.
//!
//! What is not there is remembered, too: a key has 256 random bits, so nobody presents it before it is made.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use futures_util::FutureExt;

use crate::domain::access::api_key::KeyHash;
use crate::domain::access::token_cutoff::TakenBack;
use crate::domain::id::{ApiKeyId, ApplicationId};
use crate::store::database::cache::{Cache, Trust};
use crate::store::{KeyScope, StoreError};

use super::AccessStore;

const MAX_CACHED_CREDENTIALS: u64 = 50_000;
/// The use of a key is written down this often at most.
const USE_RECORDED_EVERY_SECONDS: i64 = 60;

/// A live key.
#[derive(Debug)]
pub struct KnownKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Whom it speaks for.
    pub scope: KeyScope,
    /// From then on it does not hold.
    pub expires_at: Option<DateTime<Utc>>,
    /// When this process last had its use written down, in seconds since 1970.
    noted_at: AtomicI64,
}

/// What authentication knows. Cheap to clone.
#[derive(Clone)]
pub struct Credentials {
    store: AccessStore,
    keys: Cache<KeyHash, Option<Arc<KnownKey>>>,
    taken_back: Cache<ApplicationId, Arc<TakenBack>>,
}

impl Credentials {
    /// An empty cache over the store.
    pub fn new(store: AccessStore, trust: Arc<dyn Trust>) -> Self {
        let keys = Cache::new(MAX_CACHED_CREDENTIALS, |_, _| 1, trust.clone());
        Self { store, keys, taken_back: Cache::new(MAX_CACHED_CREDENTIALS, |_, _| 1, trust) }
    }

    /// The live key of that hash. Its use is written down by the way.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn key(
        &self,
        hash: &KeyHash,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<KnownKey>>, Arc<StoreError>> {
        let known = match self.keys.get(hash) {
            Some(known) => known,
            None => {
                let (store, key) = (self.store.clone(), *hash);
                Box::pin(self.keys.read(hash, move || async move { store.known_key(&key).await }.boxed()))
                    .await?
            }
        };
        let live = known.filter(|key| key.expires_at.is_none_or(|end| now < end));
        if let Some(key) = &live {
            self.note_use(key, now);
        }
        Ok(live)
    }

    /// What was taken back of an application.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn taken_back(&self, application: ApplicationId) -> Result<Arc<TakenBack>, Arc<StoreError>> {
        if let Some(known) = self.taken_back.get(&application) {
            return Ok(known);
        }
        let store = self.store.clone();
        let read = move || async move { Ok(Arc::new(store.taken_back(application).await?)) }.boxed();
        Box::pin(self.taken_back.read(&application, read)).await
    }

    /// Forgets a key, because it was revoked.
    pub fn forget_key(&self, hash: &KeyHash) {
        self.keys.forget(hash);
    }

    /// Forgets what was taken back of an application, because more was.
    pub fn forget_tokens(&self, application: ApplicationId) {
        self.taken_back.forget(&application);
    }

    /// Forgets everything, because notices may have been missed.
    pub fn forget_all(&self) {
        self.keys.forget_all();
        self.taken_back.forget_all();
    }

    /// Has the use of a key written down, in the background, once a minute at most.
    fn note_use(&self, key: &KnownKey, now: DateTime<Utc>) {
        let (now, noted) = (now.timestamp(), key.noted_at.load(Ordering::Relaxed));
        let is_first = now - noted >= USE_RECORDED_EVERY_SECONDS
            && key.noted_at.compare_exchange(noted, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if is_first {
            let (store, id) = (self.store.clone(), key.id);
            tokio::spawn(async move {
                if let Err(error) = store.note_key_used(id).await {
                    tracing::debug!(%error, key = %id, "the use of an API key was not written down");
                }
            });
        }
    }
}

impl AccessStore {
    async fn known_key(&self, hash: &KeyHash) -> Result<Option<Arc<KnownKey>>, StoreError> {
        Ok(self.api_key_by_hash(hash).await?.map(|record| {
            let noted_at = AtomicI64::new(record.last_used_at.map_or(0, |at| at.timestamp()));
            Arc::new(KnownKey { id: record.id, scope: record.scope, expires_at: record.expires_at, noted_at })
        }))
    }
}
