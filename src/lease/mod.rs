//! This node's right to work on deliveries. It is held by a heartbeat and named by an epoch; every delivery that
//! the node owns carries the epoch it was taken under. When another node takes this one over, or the database
//! cannot be reached for too long, the right ends: what is in memory is dropped unsent (the database has it), and
//! the node comes back under a new epoch.

mod keeper;
mod low_water;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::store::{FormerSelf, Joined, Store, StoreError};

pub use keeper::{KeeperEnd, keep};
pub use low_water::{LowWater, Mark};

/// A node whose last heartbeat is older than this may be taken over.
pub const TIME_TO_LIVE: Duration = Duration::from_secs(20);
/// How often the heart beats.
pub const BEAT_EVERY: Duration = Duration::from_secs(3);
/// A node stops sending this long before it may be taken over.
const MARGIN: Duration = Duration::from_secs(5);

/// The lease, shared by everything that works under it.
#[derive(Clone)]
pub struct Lease {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    epoch: AtomicI64,
    good_until: Mutex<Instant>,
    low_water: LowWater,
}

/// Why a lease could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Two running processes have one node name.
    #[error("another running node is named {0:?}; give each its own POSTRIDER_NODE_NAME")]
    NameInUse(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lease {
    /// Joins under `name`. A former self of that name is fenced, and what it left behind goes back to the queue.
    pub async fn join(store: &Store, name: &str) -> Result<(Self, u64), LeaseError> {
        let began = Instant::now();
        let (epoch, freed) = join_as(store, name, FormerSelf::Fence).await?;
        let inner = Inner {
            name: name.to_owned(),
            epoch: AtomicI64::new(epoch),
            good_until: Mutex::new(began + TIME_TO_LIVE - MARGIN),
            low_water: LowWater::default(),
        };
        Ok((Self { inner: Arc::new(inner) }, freed))
    }

    /// The epoch that new work is taken under.
    pub fn epoch(&self) -> i64 {
        self.inner.epoch.load(Ordering::Acquire)
    }

    /// Whether work that was taken under `epoch` may still be done.
    pub fn covers(&self, epoch: i64) -> bool {
        epoch == self.epoch() && Instant::now() < *self.good_until()
    }

    /// Marks a new message as held here.
    pub fn begin_message(&self) -> Mark {
        self.inner.low_water.begin()
    }

    /// Gives the right up, because it is open what the database has under this epoch. The keeper comes back under
    /// a new one, and what was committed goes back to the queue.
    pub fn renounce(&self, epoch: i64) {
        if epoch == self.epoch() {
            *self.good_until() = Instant::now();
        }
    }

    fn good_until(&self) -> std::sync::MutexGuard<'_, Instant> {
        self.inner.good_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Extends the right after a heartbeat, unless it lapsed or was given up while the heartbeat was under way:
    /// work that came to its turn then was dropped, and only another epoch brings it back.
    fn extend(&self, beaten_at: Instant) -> bool {
        let mut good_until = self.good_until();
        let held = Instant::now() < *good_until;
        if held {
            *good_until = beaten_at + TIME_TO_LIVE - MARGIN;
        }
        held
    }

    async fn rejoin(&self, store: &Store) -> Result<u64, LeaseError> {
        let began = Instant::now();
        let (epoch, freed) = join_as(store, &self.inner.name, FormerSelf::Respect).await?;
        self.inner.epoch.store(epoch, Ordering::Release);
        *self.good_until() = began + TIME_TO_LIVE - MARGIN;
        Ok(freed)
    }
}

async fn join_as(store: &Store, name: &str, former: FormerSelf) -> Result<(i64, u64), LeaseError> {
    match store.join_node(name, former, TIME_TO_LIVE).await? {
        Joined::As { epoch, freed } => Ok((epoch, freed)),
        Joined::NameInUse => Err(LeaseError::NameInUse(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(good_until: Instant) -> Lease {
        let inner = Inner {
            name: "here".to_owned(),
            epoch: AtomicI64::new(7),
            good_until: Mutex::new(good_until),
            low_water: LowWater::default(),
        };
        Lease { inner: Arc::new(inner) }
    }

    #[test]
    fn a_heartbeat_extends_a_lease_that_is_held() {
        let now = Instant::now();
        let lease = lease(now + Duration::from_secs(5));
        assert!(lease.extend(now));
        assert!(lease.covers(7) && !lease.covers(6));
        assert_eq!(*lease.good_until(), now + TIME_TO_LIVE - MARGIN);
    }

    #[test]
    fn a_heartbeat_that_comes_back_late_does_not_revive_the_lease() {
        let now = Instant::now();
        let lease = lease(now);
        assert!(!lease.covers(7), "work is dropped from here on");
        assert!(!lease.extend(now));
        assert!(!lease.covers(7));
    }

    #[test]
    fn a_heartbeat_under_way_does_not_undo_that_the_lease_was_given_up() {
        let now = Instant::now();
        let lease = lease(now + Duration::from_secs(5));
        lease.renounce(7);
        assert!(!lease.extend(now));
        assert!(!lease.covers(7));
    }
}
