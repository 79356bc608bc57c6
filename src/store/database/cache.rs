//! The one kind of cache: bounded, of what the database said, until a notice says that it changed.
//!
//! What is read is kept only if nothing was forgotten while it was read, and whoever asks after something was forgotten
//! never gets an answer that was begun before. A read goes on to its end, within the limits of its pool, whoever of those who
//! wait for it goes away: one that nobody drove would keep its connection, and others waiting, for ever. While this node does
//! not hear the notices of others, nothing that is kept is used: see `notices/`.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::task::JoinError;

use crate::store::StoreError;

/// In case a notice was lost that should not have been.
const MAX_AGE: Duration = Duration::from_secs(30);

/// Whether what is kept may be used.
pub trait Trust: Send + Sync {
    /// Whether every change that was answered so far has been heard.
    fn holds(&self) -> bool;
}

/// A read that broke off answers nothing.
fn broken_off<V>(error: JoinError) -> Result<V, Arc<StoreError>> {
    Err(Arc::new(StoreError::Unavailable(sqlx::Error::Io(error.into()))))
}

/// What is kept for so short that nobody has to say when it changes.
pub(in crate::store) struct ShortLived;

impl Trust for ShortLived {
    fn holds(&self) -> bool {
        true
    }
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

impl<K, V> Cache<K, V> {
    fn reading(&self) -> MutexGuard<'_, Reads<K, V>> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
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
        Self::of_age(MAX_AGE, capacity, weight, trust)
    }

    /// The same, of entries that are kept for so long.
    pub(in crate::store) fn of_age(
        max_age: Duration,
        capacity: u64,
        weight: impl Fn(&K, &V) -> u32 + Send + Sync + 'static,
        trust: Arc<dyn Trust>,
    ) -> Self {
        // An entry that weighs more than everything would never be kept, and be read each time.
        let heaviest = u32::try_from(capacity / 4).unwrap_or(u32::MAX).max(1);
        let kept = moka::sync::Cache::builder()
            .max_capacity(capacity)
            .weigher(move |key, value| weight(key, value).clamp(1, heaviest))
            .time_to_live(max_age)
            .build();
        Self { kept, reading: Arc::default(), trust, reads: Arc::default(), is_kept: |_| true }
    }

    /// The same, which keeps only some of what is read.
    pub(in crate::store) fn keeping(mut self, is_kept: fn(&V) -> bool) -> Self {
        self.is_kept = is_kept;
        self
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
        self.join(key, read).await
    }

    /// The read that is under way, or one that begins now, in a task of its own.
    fn join(&self, key: &K, read: impl FnOnce() -> BoxFuture<'static, Result<V, StoreError>>) -> Read<V> {
        let mut reading = self.reading();
        if let Some((_, under_way)) = reading.get(key) {
            return under_way.clone();
        }
        let number = self.reads.fetch_add(1, Ordering::Relaxed);
        let place = Place { cache: self.clone(), key: key.clone(), number };
        let read = read();
        let task = tokio::spawn(async move {
            let value = read.await.map_err(Arc::new);
            place.keep(&value);
            value
        });
        let under_way = task.map(|ended| ended.unwrap_or_else(broken_off)).boxed().shared();
        reading.insert(key.clone(), (number, under_way.clone()));
        under_way
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

/// The place of a read among those that are under way. It is given up when this is dropped, however the read ends.
struct Place<K: Hash + Eq, V> {
    cache: Cache<K, V>,
    key: K,
    number: u64,
}

impl<K, V> Place<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Keeps what was read, unless its key was forgotten meanwhile.
    fn keep(self, value: &Result<V, Arc<StoreError>>) {
        let reading = self.cache.reading();
        if let Ok(value) = value
            && (self.cache.is_kept)(value)
            && is_current(&reading, &self.key, self.number)
        {
            self.cache.kept.insert(self.key.clone(), value.clone());
        }
        drop(reading);
    }
}

impl<K: Hash + Eq, V> Drop for Place<K, V> {
    fn drop(&mut self) {
        let mut reading = self.cache.reading();
        if is_current(&reading, &self.key, self.number) {
            reading.remove(&self.key);
        }
    }
}

fn is_current<K: Hash + Eq, V>(reading: &Reads<K, V>, key: &K, number: u64) -> bool {
    reading.get(key).is_some_and(|(current, _)| *current == number)
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
    async fn a_read_ends_whoever_goes_away_and_whatever_becomes_of_it() {
        let (cache, _) = cache();
        let (answer, answered) = oneshot::channel();
        let read = move || async move { Ok(answered.await.unwrap()) }.boxed();
        assert!(cache.read(&1, read).now_or_never().is_none(), "whoever asks goes away at once");
        let joined = cache.read(&1, || unreachable!("it is being read"));
        answer.send(7).unwrap();
        assert_eq!(joined.await.unwrap(), 7, "and others get its answer");
        assert!(cache.read(&2, of(8)).now_or_never().is_none());
        while !cache.reading().is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(cache.get(&2), Some(8));
        let broken = cache.read(&3, || async { panic!("what reads is broken") }.boxed()).await;
        assert!(matches!(*broken.unwrap_err(), StoreError::Unavailable(_)));
        assert!(cache.reading().is_empty());
    }

    #[tokio::test]
    async fn nothing_kept_is_used_while_it_cannot_be_trusted() {
        let (cache, switch) = cache();
        cache.read(&1, of(7)).await.unwrap();
        switch.0.store(false, Ordering::SeqCst);
        assert_eq!(cache.get(&1), None);
    }
}
