//! How often something may be done for each key, such as an endpoint: so many times within a window that begins with the
//! first time. Each process counts for itself, and only keys that were used lately.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use moka::sync::Cache;

/// Keys that are counted at a time. What is forgotten to make room begins anew.
const MAX_KEYS: u64 = 50_000;

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

impl<K: Hash + Eq + Send + Sync + 'static> KeyedLimit<K> {
    /// So many times within a window of that length.
    #[must_use]
    pub fn new(most: u32, length: Duration) -> Self {
        Self { windows: Cache::builder().max_capacity(MAX_KEYS).time_to_live(length).build(), most, length }
    }

    /// Counts one more time.
    ///
    /// # Errors
    /// In how many seconds it may be done again, if it was done often enough.
    pub fn admit(&self, key: K) -> Result<(), u32> {
        let begin = || Arc::new(Window { begun_at: Instant::now(), count: AtomicU32::new(0) });
        let window = self.windows.get_with(key, begin);
        let add = |count| (count < self.most).then_some(count + 1);
        match window.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add) {
            Ok(_) => Ok(()),
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
        let limit = KeyedLimit::new(2, Duration::from_secs(3600));
        assert_eq!((limit.admit("a"), limit.admit("a")), (Ok(()), Ok(())));
        let wait = limit.admit("a").unwrap_err();
        assert!((1..=3601).contains(&wait), "{wait}");
        assert_eq!(limit.admit("b"), Ok(()));
    }
}
