//! A bounded cache of what authentication asks the database: API keys and sessions by their hash, and which tokens of an
//! application were taken back. A revocation that was answered holds on every node: see `notices/`.
//!
//! What is not there is remembered, too: keys and sessions have 256 random bits, so nobody presents one before it is made.
//!
//! Whoever makes keys up has each looked up once. That is done one at a time, so that those whose key was there before
//! find a free connection: see `newcomers`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use futures_util::FutureExt;

use crate::domain::access::api_key::KeyHash;
use crate::domain::access::opaque_token::OpaqueTokenHash;
use crate::domain::access::session::SESSION_IDLE_TIMEOUT;
use crate::domain::access::token_cutoff::TakenBack;
use crate::domain::id::{ApiKeyId, ApplicationId};
use crate::store::database::cache::{Cache, Trust};
use crate::store::{KeyScope, StoreError};

use super::AccessStore;
use super::newcomers::Newcomers;
use super::session::SessionRecord;

const MAX_CACHED_CREDENTIALS: u64 = 50_000;
/// Cutoffs and tokens that were taken back, of all applications.
const MAX_CACHED_TAKEN_BACK: u64 = 200_000;
/// The use of a key or a session is written down this often at most.
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

/// A live session.
#[derive(Debug)]
pub struct KnownSession {
    /// What is kept of it.
    pub record: SessionRecord,
    /// When it was last used, as far as this process knows, in seconds since 1970.
    used_at: AtomicI64,
    /// When this process last had its use written down, in seconds since 1970.
    noted_at: AtomicI64,
}

impl KnownSession {
    /// When it ends unless it is used again.
    pub fn expires_at(&self) -> DateTime<Utc> {
        let used_at = DateTime::from_timestamp(self.used_at.load(Ordering::Relaxed), 0);
        let unused = used_at.unwrap_or(DateTime::UNIX_EPOCH) + SESSION_IDLE_TIMEOUT;
        unused.min(self.record.ends_at)
    }
}

/// What authentication knows. Cheap to clone.
#[derive(Clone)]
pub struct Credentials {
    store: AccessStore,
    keys: Cache<KeyHash, Option<Arc<KnownKey>>>,
    sessions: Cache<OpaqueTokenHash, Option<Arc<KnownSession>>>,
    taken_back: Cache<ApplicationId, Arc<TakenBack>>,
    newcomers: Newcomers,
}

impl Credentials {
    /// An empty cache over the store.
    pub fn new(store: AccessStore, trust: Arc<dyn Trust>) -> Self {
        let keys = Cache::new(MAX_CACHED_CREDENTIALS, |_, _| 1, trust.clone());
        let sessions = Cache::new(MAX_CACHED_CREDENTIALS, |_, _| 1, trust.clone());
        let size = |_: &ApplicationId, taken: &Arc<TakenBack>| {
            u32::try_from(taken.weight()).unwrap_or(u32::MAX).saturating_add(1)
        };
        let taken_back = Cache::new(MAX_CACHED_TAKEN_BACK, size, trust);
        Self { store, keys, sessions, taken_back, newcomers: Newcomers::default() }
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
        let look_up = |store: AccessStore, hash| async move { store.known_key(&hash).await };
        let known = self.known(&self.keys, hash, look_up).await?;
        let live = known.filter(|key| key.expires_at.is_none_or(|end| now < end));
        if let Some(key) = &live {
            self.note_key_use(key, now);
        }
        Ok(live)
    }

    /// The live session of that hash, whose API key, if it began with one, is live as well. Its use is written down by
    /// the way.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn session(
        &self,
        hash: &OpaqueTokenHash,
        now: DateTime<Utc>,
    ) -> Result<Option<Arc<KnownSession>>, Arc<StoreError>> {
        let look_up = |store: AccessStore, hash| async move { store.known_session(&hash).await };
        let known = self.known(&self.sessions, hash, look_up).await?;
        let Some(session) = known.filter(|session| now < session.expires_at()) else { return Ok(None) };
        if let Some(key) = &session.record.api_key
            && self.key(key, now).await?.is_none()
        {
            return Ok(None);
        }
        self.note_session_use(&session, now);
        Ok(Some(session))
    }

    /// What is kept of a credential; what is not is looked up when it is its turn, once for all who ask meanwhile.
    async fn known<C, F>(
        &self,
        kept: &Cache<[u8; 32], Option<Arc<C>>>,
        hash: &[u8; 32],
        look_up: impl FnOnce(AccessStore, [u8; 32]) -> F,
    ) -> Result<Option<Arc<C>>, Arc<StoreError>>
    where
        C: Send + Sync + 'static,
        F: Future<Output = Result<Option<Arc<C>>, StoreError>> + Send + 'static,
    {
        if let Some(known) = kept.get(hash) {
            return Ok(known);
        }
        let turn = self.newcomers.turn(hash).await?;
        // Whoever had a turn before may have looked for the same.
        if let Some(known) = kept.get(hash) {
            return Ok(known);
        }
        let looking_up = look_up(self.store.clone(), *hash);
        let reading = async move {
            let known = looking_up.await?;
            turn.end(known.is_some());
            Ok(known)
        };
        Box::pin(kept.read(hash, || reading.boxed())).await
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

    /// Forgets the key or the session of that hash, because it holds no longer.
    pub fn forget(&self, hash: &KeyHash) {
        self.keys.forget(hash);
        self.sessions.forget(hash);
    }

    /// Forgets what was taken back of an application, because more was.
    pub fn forget_tokens(&self, application: ApplicationId) {
        self.taken_back.forget(&application);
    }

    /// Forgets everything, because notices may have been missed.
    pub fn forget_all(&self) {
        self.keys.forget_all();
        self.sessions.forget_all();
        self.taken_back.forget_all();
    }

    /// Has the use of a key written down, in the background, once a minute at most.
    fn note_key_use(&self, key: &KnownKey, now: DateTime<Utc>) {
        if is_to_be_noted(&key.noted_at, now) {
            let (store, id) = (self.store.clone(), key.id);
            tokio::spawn(async move {
                if let Err(error) = store.note_key_used(id).await {
                    tracing::debug!(%error, key = %id, "the use of an API key was not written down");
                }
            });
        }
    }

    /// The same of a session.
    fn note_session_use(&self, session: &KnownSession, now: DateTime<Utc>) {
        session.used_at.fetch_max(now.timestamp(), Ordering::Relaxed);
        if is_to_be_noted(&session.noted_at, now) {
            let (store, id) = (self.store.clone(), session.record.id);
            tokio::spawn(async move {
                if let Err(error) = store.note_session_used(id).await {
                    tracing::debug!(%error, session = %id, "the use of a session was not written down");
                }
            });
        }
    }
}

/// Whether a use is to be written down now; by one of those who ask.
fn is_to_be_noted(noted_at: &AtomicI64, now: DateTime<Utc>) -> bool {
    let (now, noted) = (now.timestamp(), noted_at.load(Ordering::Relaxed));
    now - noted >= USE_RECORDED_EVERY_SECONDS
        && noted_at.compare_exchange(noted, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
}

impl AccessStore {
    async fn known_session(&self, hash: &OpaqueTokenHash) -> Result<Option<Arc<KnownSession>>, StoreError> {
        Ok(self.session_by_hash(hash).await?.map(|record| {
            let used_at = record.last_used_at.timestamp();
            Arc::new(KnownSession { record, used_at: used_at.into(), noted_at: used_at.into() })
        }))
    }

    async fn known_key(&self, hash: &KeyHash) -> Result<Option<Arc<KnownKey>>, StoreError> {
        Ok(self.api_key_by_hash(hash).await?.map(|record| {
            let noted_at = AtomicI64::new(record.last_used_at.map_or(0, |at| at.timestamp()));
            Arc::new(KnownKey { id: record.id, scope: record.scope, expires_at: record.expires_at, noted_at })
        }))
    }
}
