//! The one kind of cache: bounded, of what the database said, until a notice says that it changed.
//!
//! What is read is kept only if nothing was forgotten while it was read, and whoever asks after something was forgotten
//! never gets an answer that was begun before. While this node does not hear the notices of others, nothing that is kept
//! is used: see `notices/`.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

use crate::store::StoreError;

/// In case a notice was lost that should not have been.
const MAX_AGE: Duration = Duration::from_secs(30);

/// Whether what is kept may be used.
pub trait Trust: Send + Sync {
    /// Whether every change that was answered so far has been heard.
    fn holds(&self) -> bool;
}

type Read<V> = Shared<BoxFuture<'static, Result<V, Arc<StoreError>>>>;
/// Reads that are under way, each with its number.
type Reads<K, V> = HashMap<K, (u64, Read<V>)>;

/// A cache. Cheap to clone.
pub(in crate::store) struct Cache<K, V> {
    kept: moka::sync::Cache<K, V>,
    /// Reads that are under way. A read whose entry is gone was begun before its key was forgotten.
    reading: Arc<Mutex<Reads<K, V>>>,
    trust: Arc<dyn Trust>,
    reads: Arc<AtomicU64>,
    is_kept: fn(&V) -> bool,
}

impl<K, V> Clone for Cache<K, V> {
    fn clone(&self) -> Self {
        Self {
            kept: self.kept.clone(),
            reading: self.reading.clone(),
            trust: self.trust.clone(),
            reads: self.reads.clone(),
            is_kept: self.is_kept,
        }
    }
}

impl<K, V> Cache<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// An empty cache of entries that weigh `capacity` together at most.
    pub(in crate::store) fn new(
        capacity: u64,
        weight: impl Fn(&K, &V) -> u32 + Send + Sync + 'static,
        trust: Arc<dyn Trust>,
    ) -> Self {
        // An entry that weighs more than everything would never be kept, and be read each time.
        let heaviest = u32::try_from(capacity / 4).unwrap_or(u32::MAX).max(1);
        let kept = moka::sync::Cache::builder()
            .max_capacity(capacity)
            .weigher(move |key, value| weight(key, value).clamp(1, heaviest))
            .time_to_live(MAX_AGE)
            .build();
        Self { kept, reading: Arc::default(), trust, reads: Arc::default(), is_kept: |_| true }
    }

    /// The same, which keeps only some of what is read.
    pub(in crate::store) fn keeping(mut self, is_kept: fn(&V) -> bool) -> Self {
        self.is_kept = is_kept;
        self
    }

    fn reading(&self) -> MutexGuard<'_, Reads<K, V>> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept under this key, if it may be used.
    pub(in crate::store) fn get(&self, key: &K) -> Option<V> {
        if self.trust.holds() { self.kept.get(key) } else { None }
    }

    /// What is kept under this key, for somebody who proves that it is current before anything follows from it.
    pub(in crate::store) fn get_to_be_proven(&self, key: &K) -> Option<V> {
        self.kept.get(key)
    }

    /// Reads it once for all who ask meanwhile, and keeps it.
    pub(in crate::store) async fn read(
        &self,
        key: &K,
        read: impl FnOnce() -> BoxFuture<'static, Result<V, StoreError>>,
    ) -> Result<V, Arc<StoreError>> {
        let (number, reading) = self.join(key, read);
        let value = reading.await;
        let mut reading = self.reading();
        if reading.get(key).is_some_and(|(current, _)| *current == number) {
            reading.remove(key);
            if let Ok(value) = &value
                && (self.is_kept)(value)
            {
                self.kept.insert(key.clone(), value.clone());
            }
        }
        value
    }

    fn join(
        &self,
        key: &K,
        read: impl FnOnce() -> BoxFuture<'static, Result<V, StoreError>>,
    ) -> (u64, Read<V>) {
        let mut reading = self.reading();
        let (number, read) = reading.entry(key.clone()).or_insert_with(|| {
            let read = read().map(|value| value.map_err(Arc::new)).boxed().shared();
            (self.reads.fetch_add(1, Ordering::Relaxed), read)
        });
        (*number, read.clone())
    }

    /// Forgets what is kept under this key, and whatever is being read of it.
    pub(in crate::store) fn forget(&self, key: &K) {
        let mut reading = self.reading();
        reading.remove(key);
        self.kept.invalidate(key);
    }

    /// Forgets everything.
    pub(in crate::store) fn forget_all(&self) {
        let mut reading = self.reading();
        reading.clear();
        self.kept.invalidate_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use tokio::sync::oneshot;

    use super::*;

    struct Switch(AtomicBool);

    impl Trust for Switch {
        fn holds(&self) -> bool {
            self.0.load(Ordering::SeqCst)
        }
    }

    fn cache() -> (Cache<u8, u32>, Arc<Switch>) {
        let switch = Arc::new(Switch(AtomicBool::new(true)));
        (Cache::new(10, |_, _| 1, switch.clone()), switch)
    }

    fn of(value: u32) -> impl FnOnce() -> BoxFuture<'static, Result<u32, StoreError>> {
        move || async move { Ok(value) }.boxed()
    }

    #[tokio::test]
    async fn what_is_read_is_kept_until_it_is_forgotten() {
        let (cache, _) = cache();
        assert_eq!(cache.read(&1, of(7)).await.unwrap(), 7);
        assert_eq!(cache.get(&1), Some(7));
        cache.forget(&2);
        assert_eq!(cache.get(&1), Some(7));
        cache.forget(&1);
        assert_eq!(cache.get(&1), None);
        cache.read(&1, of(8)).await.unwrap();
        cache.forget_all();
        assert_eq!(cache.get(&1), None);
    }

    #[tokio::test]
    async fn a_read_that_was_begun_before_is_neither_kept_nor_joined() {
        let (cache, _) = cache();
        let (answer, answered) = oneshot::channel();
        let slow = {
            let cache = cache.clone();
            tokio::spawn(async move {
                cache.read(&1, move || async move { Ok(answered.await.unwrap()) }.boxed()).await.unwrap()
            })
        };
        while cache.reading().is_empty() {
            tokio::task::yield_now().await;
        }
        cache.forget(&1);
        assert_eq!(cache.read(&1, of(2)).await.unwrap(), 2, "it does not wait for the old one");
        answer.send(1).unwrap();
        assert_eq!(slow.await.unwrap(), 1);
        assert_eq!(cache.get(&1), Some(2), "the old one is not kept");
    }

    #[tokio::test]
    async fn all_who_ask_meanwhile_share_one_read_and_its_failure() {
        let (cache, _) = cache();
        let (answer, answered) = oneshot::channel::<()>();
        let first = cache.read(&1, move || {
            async move {
                answered.await.ok();
                Err(StoreError::LeaseLost)
            }
            .boxed()
        });
        let second = cache.read(&1, || unreachable!("it is being read"));
        // They are polled in this order, so both have asked when the answer comes.
        let (first, second, ()) = tokio::join!(first, second, async { answer.send(()).unwrap() });
        assert!(first.is_err() && second.is_err());
        assert_eq!(cache.read(&1, of(3)).await.unwrap(), 3, "a failure is not kept");
    }

    #[tokio::test]
    async fn nothing_kept_is_used_while_it_cannot_be_trusted() {
        let (cache, switch) = cache();
        cache.read(&1, of(7)).await.unwrap();
        switch.0.store(false, Ordering::SeqCst);
        assert_eq!(cache.get(&1), None);
    }
}
