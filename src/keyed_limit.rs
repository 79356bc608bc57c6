//! How often something may be done for each key, such as an endpoint: so many times within a window that begins with the
//! first time. Each process counts for itself, and only keys that were used lately.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use moka::sync::Cache;

/// A limit for each key.
pub struct KeyedLimit<K> {
    windows: Cache<K, Arc<Window>>,
    most: u32,
    length: Duration,
}

struct Window {
    begun_at: Instant,
    count: AtomicU32,
}

/// One time that was counted.
pub struct Admitted(Arc<Window>);

impl Admitted {
    /// It does not count after all.
    pub fn give_back(self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<K: Hash + Eq + Send + Sync + 'static> KeyedLimit<K> {
    /// So many times within a window of that length. So many keys are counted at a time; one that is forgotten to make room
    /// begins anew.
    #[must_use]
    pub fn new(most: u32, length: Duration, max_keys: u64) -> Self {
        Self { windows: Cache::builder().max_capacity(max_keys).time_to_live(length).build(), most, length }
    }

    /// Counts one more time.
    ///
    /// # Errors
    /// In how many seconds it may be done again, if it was done often enough.
    pub fn admit(&self, key: K) -> Result<(), u32> {
        self.begin(key).map(drop)
    }

    /// Counts one more time, which can be given back.
    ///
    /// # Errors
    /// As [`Self::admit`].
    pub fn begin(&self, key: K) -> Result<Admitted, u32> {
        let begin = || Arc::new(Window { begun_at: Instant::now(), count: AtomicU32::new(0) });
        let window = self.windows.get_with(key, begin);
        let add = |count| (count < self.most).then_some(count + 1);
        match window.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add) {
            Ok(_) => Ok(Admitted(window)),
            Err(_) => {
                let left = self.length.saturating_sub(window.begun_at.elapsed());
                Err(u32::try_from(left.as_secs()).unwrap_or(u32::MAX).saturating_add(1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_a_limit_of_its_own() {
        let limit = KeyedLimit::new(2, Duration::from_secs(3600), 10);
        assert_eq!((limit.admit("a"), limit.admit("a")), (Ok(()), Ok(())));
        let wait = limit.admit("a").unwrap_err();
        assert!((1..=3601).contains(&wait), "{wait}");
        assert_eq!(limit.admit("b"), Ok(()));
    }
}
