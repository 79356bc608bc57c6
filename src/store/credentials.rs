//! A bounded cache of what authentication asks the database: API keys by their hash, and which tokens of an
//! application were taken back. It follows notices from all nodes, so that a revocation holds everywhere at once; an
//! entry's age is bounded besides, in case a notice was missed.
//!
//! What is not there is remembered, too: a key has 256 random bits, so nobody presents it before it is made.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use moka::future::Cache;

use crate::domain::api_key::KeyHash;
use crate::domain::id::{ApiKeyId, ApplicationId};
use crate::domain::token_cutoff::TakenBack;

use super::{KeyScope, Store, StoreError};

const CAPACITY: u64 = 50_000;
const OLDEST: Duration = Duration::from_secs(30);
/// The use of a key is written down this often at most.
const NOTE_EVERY_SECONDS: i64 = 60;

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
    store: Store,
    keys: Cache<KeyHash, Option<Arc<KnownKey>>>,
    taken_back: Cache<ApplicationId, Arc<TakenBack>>,
    /// Raised by everything that is forgotten, so that what was read before is not kept after.
    forgotten: Arc<AtomicU64>,
}

impl Credentials {
    /// An empty cache over the store.
    pub fn new(store: Store) -> Self {
        let keys = Cache::builder().max_capacity(CAPACITY).time_to_live(OLDEST).build();
        let taken_back = Cache::builder().max_capacity(CAPACITY).time_to_live(OLDEST).build();
        Self { store, keys, taken_back, forgotten: Arc::default() }
    }

    /// The live key of that hash. Its use is written down by the way.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn key(&self, hash: &KeyHash, now: DateTime<Utc>) -> Result<Option<Arc<KnownKey>>, StoreError> {
        let known = match self.keys.get(hash).await {
            Some(known) => known,
            None => {
                let before = self.forgotten.load(Ordering::SeqCst);
                let known = Box::pin(self.store.api_key_by_hash(hash)).await?.map(|record| {
                    let noted_at = AtomicI64::new(record.last_used_at.map_or(0, |at| at.timestamp()));
                    let (id, scope, expires_at) = (record.id, record.scope, record.expires_at);
                    Arc::new(KnownKey { id, scope, expires_at, noted_at })
                });
                self.keys.insert(*hash, known.clone()).await;
                if self.forgotten.load(Ordering::SeqCst) != before {
                    self.keys.invalidate(hash).await;
                }
                known
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
    pub async fn taken_back(&self, application: ApplicationId) -> Result<Arc<TakenBack>, StoreError> {
        if let Some(known) = self.taken_back.get(&application).await {
            return Ok(known);
        }
        let before = self.forgotten.load(Ordering::SeqCst);
        let known = Arc::new(Box::pin(self.store.taken_back(application)).await?);
        self.taken_back.insert(application, known.clone()).await;
        if self.forgotten.load(Ordering::SeqCst) != before {
            self.taken_back.invalidate(&application).await;
        }
        Ok(known)
    }

    /// Forgets a key, because it was revoked.
    pub async fn forget_key(&self, hash: &KeyHash) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.keys.invalidate(hash).await;
    }

    /// Forgets what was taken back of an application, because more was.
    pub async fn forget_tokens(&self, application: ApplicationId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.taken_back.invalidate(&application).await;
    }

    /// Forgets everything, because notices may have been missed.
    pub fn forget_all(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.keys.invalidate_all();
        self.taken_back.invalidate_all();
    }

    /// Has the use of a key written down, in the background, once a minute at most.
    fn note_use(&self, key: &KnownKey, now: DateTime<Utc>) {
        let (now, noted) = (now.timestamp(), key.noted_at.load(Ordering::Relaxed));
        let is_first = now - noted >= NOTE_EVERY_SECONDS
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
