//! This node's right to work on deliveries. It is held by a heartbeat and named by an epoch; every delivery that
//! the node owns carries the epoch it was taken under. When another node takes this one over, or the database
//! cannot be reached for too long, the right ends: what is in memory is dropped unsent (the database has it), and
//! the node comes back under a new epoch.

mod claims;
mod keeper;
mod low_water;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::id::MessageId;
use crate::store::{Joined, QueueStore, StoreError, Takeover};

pub use claims::ClaimKey;
pub use claims::HeldClaim;
pub use claims::HeldClaims;
pub use keeper::KeeperEnd;
pub use keeper::keep;
pub use low_water::LowWater;
pub use low_water::Mark;

/// A node whose last heartbeat is older than this may be taken over.
pub const TIME_TO_LIVE: Duration = Duration::from_secs(20);
/// How often a node writes down that it lives.
pub const BEAT_EVERY: Duration = Duration::from_secs(1);
/// A node that has not done so for this long is dead, or cannot reach the database. Longer than any single heartbeat
/// may take.
const BEATS_WITHIN: Duration = Duration::from_secs(6);
/// A node stops sending this long before it may be taken over.
const MARGIN: Duration = Duration::from_secs(5);
/// A namesake whose last heartbeat is younger than the wait for it, by this much, has beaten meanwhile.
const FRESH_BEAT_MARGIN: Duration = Duration::from_millis(500);

/// The lease, shared by everything that works under it.
#[derive(Clone)]
pub struct Lease {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    place: String,
    epoch: AtomicI64,
    good_until: Mutex<Instant>,
    low_water: LowWater,
    claims: HeldClaims,
    /// No delivery below it is owned by this epoch: that was looked up, and is not a matter of memory.
    verified: Mutex<MessageId>,
    /// Marks of messages that may yet be committed under an epoch that was given up.
    unresolved: Mutex<Vec<(i64, Arc<Mark>)>>,
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
    /// Joins under `name`, from `place`: the address that this process has bound, with its host. A former self is
    /// fenced, and what it left behind goes back to the queue: one that was in the same place is gone, since this
    /// process has that place now; of any other it is waited whether it still beats. A namesake that lives is left
    /// alone.
    pub async fn join(queue: &QueueStore, name: &str, place: &str) -> Result<(Self, u64), LeaseError> {
        let low_water = LowWater::default();
        let began = Instant::now();
        let mark = low_water.lowest();
        let (epoch, freed) = loop {
            let waited = began.elapsed() > BEATS_WITHIN;
            let takeover = if waited { Takeover::Always } else { Takeover::IfSamePlace };
            match queue.join_node(name, place, takeover, TIME_TO_LIVE, mark).await? {
                Joined::As { epoch, freed } => break (epoch, freed),
                Joined::NameInUse { beat_age } => {
                    if beat_age + FRESH_BEAT_MARGIN < began.elapsed() {
                        return Err(LeaseError::NameInUse(name.to_owned()));
                    }
                    tracing::info!(%name, "waiting whether another node of this name still lives");
                    tokio::time::sleep(BEAT_EVERY).await;
                }
            }
        };
        let inner = Inner {
            name: name.to_owned(),
            place: place.to_owned(),
            epoch: AtomicI64::new(epoch),
            good_until: Mutex::new(Instant::now() + TIME_TO_LIVE - MARGIN),
            low_water,
            claims: HeldClaims::default(),
            verified: Mutex::new(mark),
            unresolved: Mutex::default(),
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

    /// The claims on rows of the queue that this node holds in memory.
    pub fn claims(&self) -> &HeldClaims {
        &self.inner.claims
    }

    /// The messages whose deliveries this node may hold in memory.
    pub fn low_water(&self) -> &LowWater {
        &self.inner.low_water
    }

    /// The mark below which no delivery is owned by this epoch.
    pub fn verified(&self) -> MessageId {
        *self.inner.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything below `mark` was looked at under `epoch`, and none of it is owned by it.
    pub fn verify(&self, epoch: i64, mark: MessageId) {
        let mut verified = self.inner.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if epoch == self.epoch() && *verified < mark {
            *verified = mark;
        }
    }

    /// Keeps a message's mark until `epoch` is left, because it may yet be committed under it.
    pub fn keep_until_left(&self, epoch: i64, mark: Arc<Mark>) {
        let mut unresolved = self.unresolved();
        if epoch == self.epoch() {
            unresolved.push((epoch, mark));
        }
    }

    fn unresolved(&self) -> std::sync::MutexGuard<'_, Vec<(i64, Arc<Mark>)>> {
        self.inner.unresolved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the right up, because it is open what the database has under this epoch. The keeper comes back under
    /// a new one, and what was committed goes back to the queue.
    pub fn renounce(&self, epoch: i64) {
        if epoch == self.epoch() {
            *self.good_until() = Instant::now();
        }
    }

    /// A lease without a database behind it.
    #[cfg(test)]
    pub(crate) fn of_test(epoch: i64, good_until: Instant) -> Self {
        let low_water = LowWater::default();
        let verified = Mutex::new(low_water.lowest());
        let inner = Inner {
            name: "here".to_owned(),
            place: "nowhere".to_owned(),
            epoch: AtomicI64::new(epoch),
            good_until: Mutex::new(good_until),
            low_water,
            claims: HeldClaims::default(),
            verified,
            unresolved: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
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

    async fn rejoin(&self, queue: &QueueStore) -> Result<u64, LeaseError> {
        let began = Instant::now();
        // What waits to be written was begun before, and will be written under the new epoch.
        let mark = self.inner.low_water.lowest();
        let Inner { name, place, .. } = &*self.inner;
        match queue.join_node(name, place, Takeover::IfStale, TIME_TO_LIVE, mark).await? {
            Joined::NameInUse { .. } => Err(LeaseError::NameInUse(name.clone())),
            Joined::As { epoch, freed } => {
                let mut unresolved = self.unresolved();
                *self.inner.verified.lock().unwrap_or_else(PoisonError::into_inner) = mark;
                self.inner.epoch.store(epoch, Ordering::Release);
                *self.good_until() = began + TIME_TO_LIVE - MARGIN;
                unresolved.retain(|(left, _)| *left == epoch);
                Ok(freed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(good_until: Instant) -> Lease {
        Lease::of_test(7, good_until)
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
