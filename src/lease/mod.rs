//! This node's right to work on deliveries. It is kept by heartbeats and named by an epoch; every delivery that the node
//! owns carries the epoch it was taken under. When another node takes this one over, or the database cannot be reached for
//! too long, the right ends: what is in memory is dropped unsent (the database has it), and the node comes back under a new
//! epoch.

mod held_claims;
mod held_messages;
mod keeper;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::id::MessageId;
use crate::store::{Joined, QueueStore, StoreError, Takeover};

pub use held_claims::ClaimGuard;
pub use held_claims::ClaimKey;
pub use held_claims::HeldClaims;
pub use held_messages::HeldMessages;
pub use held_messages::MessageGuard;
pub use keeper::KeeperEnd;
pub use keeper::run_keeper;

/// A node whose last heartbeat is older than this may be taken over.
pub const NODE_TIME_TO_LIVE: Duration = Duration::from_secs(20);
/// How often a node writes a heartbeat.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);
/// A node that has written none for this long is dead, or cannot reach the database. It is longer than any single heartbeat
/// may take.
const DEAD_AFTER: Duration = Duration::from_secs(6);
/// A node whose heartbeats fail stops sending this long before it may be taken over.
const STOP_SENDING_BEFORE_EXPIRY: Duration = Duration::from_secs(5);
/// While a node waits whether another one of its name is alive: if the other's heartbeat is younger than the wait, by this
/// much, it was written meanwhile.
const HEARTBEAT_AGE_MARGIN: Duration = Duration::from_millis(500);

/// The lease, shared by everything that works under it.
#[derive(Clone)]
pub struct Lease {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    address: String,
    epoch: AtomicI64,
    valid_until: Mutex<Instant>,
    held_messages: HeldMessages,
    held_claims: HeldClaims,
    /// No delivery below it is owned by this epoch: it was looked up in the database, and not concluded from memory.
    verified_mark: Mutex<MessageId>,
    /// Guards of messages that may yet be committed under an epoch that was given up.
    unresolved: Mutex<Vec<(i64, Arc<MessageGuard>)>>,
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
    /// Joins under `name`. `address` is what this process has bound, with its host. A former node of this name is fenced,
    /// and what it left behind goes back to the queue: at once if it had the same address, since this process has that
    /// address now; otherwise when it has written no heartbeat for a while. One that lives is left alone.
    pub async fn join(queue: &QueueStore, name: &str, address: &str) -> Result<(Self, u64), LeaseError> {
        let held_messages = HeldMessages::default();
        let began = Instant::now();
        let mark = held_messages.low_water_mark();
        let (epoch, freed) = loop {
            let waited = began.elapsed() > DEAD_AFTER;
            let takeover = if waited { Takeover::Always } else { Takeover::IfSamePlace };
            match queue.join_node(name, address, takeover, NODE_TIME_TO_LIVE, mark).await? {
                Joined::As { epoch, freed } => break (epoch, freed),
                Joined::NameInUse { beat_age } => {
                    if beat_age + HEARTBEAT_AGE_MARGIN < began.elapsed() {
                        return Err(LeaseError::NameInUse(name.to_owned()));
                    }
                    tracing::info!(%name, "waiting whether another node of this name still lives");
                    tokio::time::sleep(HEARTBEAT_INTERVAL).await;
                }
            }
        };
        let inner = Inner {
            name: name.to_owned(),
            address: address.to_owned(),
            epoch: AtomicI64::new(epoch),
            valid_until: Mutex::new(Instant::now() + NODE_TIME_TO_LIVE - STOP_SENDING_BEFORE_EXPIRY),
            held_messages,
            held_claims: HeldClaims::default(),
            verified_mark: Mutex::new(mark),
            unresolved: Mutex::default(),
        };
        Ok((Self { inner: Arc::new(inner) }, freed))
    }

    /// The node's name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The epoch that new work is taken under.
    pub fn epoch(&self) -> i64 {
        self.inner.epoch.load(Ordering::Acquire)
    }

    /// Whether work that was taken under `epoch` may still be done.
    pub fn covers(&self, epoch: i64) -> bool {
        epoch == self.epoch() && Instant::now() < *self.valid_until()
    }

    /// A new message that this node holds.
    pub fn begin_message(&self) -> MessageGuard {
        self.inner.held_messages.begin()
    }

    /// The claims on rows of the queue that this node holds in memory.
    pub fn held_claims(&self) -> &HeldClaims {
        &self.inner.held_claims
    }

    /// The messages whose deliveries this node may hold in memory.
    pub fn held_messages(&self) -> &HeldMessages {
        &self.inner.held_messages
    }

    /// The mark below which no delivery is owned by this epoch.
    pub fn verified_mark(&self) -> MessageId {
        *self.inner.verified_mark.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything below `mark` was looked at under `epoch`, and none of it is owned by it.
    pub fn set_verified_mark(&self, epoch: i64, mark: MessageId) {
        let mut verified = self.inner.verified_mark.lock().unwrap_or_else(PoisonError::into_inner);
        if epoch == self.epoch() && *verified < mark {
            *verified = mark;
        }
    }

    /// Keeps a message's guard until this node has left `epoch`, because the message may yet be committed under it.
    pub fn keep_until_rejoin(&self, epoch: i64, message: Arc<MessageGuard>) {
        let mut unresolved = self.unresolved();
        if epoch == self.epoch() {
            unresolved.push((epoch, message));
        }
    }

    fn unresolved(&self) -> MutexGuard<'_, Vec<(i64, Arc<MessageGuard>)>> {
        self.inner.unresolved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the right up, because it is not known what the database has under this epoch. The keeper comes back under a new
    /// one, and what was committed goes back to the queue.
    pub fn give_up(&self, epoch: i64) {
        if epoch == self.epoch() {
            *self.valid_until() = Instant::now();
        }
    }

    /// A lease without a database behind it.
    #[cfg(test)]
    pub(crate) fn for_test(epoch: i64, valid_until: Instant) -> Self {
        let held_messages = HeldMessages::default();
        let verified = Mutex::new(held_messages.low_water_mark());
        let inner = Inner {
            name: "here".to_owned(),
            address: "here:1".to_owned(),
            epoch: AtomicI64::new(epoch),
            valid_until: Mutex::new(valid_until),
            held_messages,
            held_claims: HeldClaims::default(),
            verified_mark: verified,
            unresolved: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    fn valid_until(&self) -> MutexGuard<'_, Instant> {
        self.inner.valid_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Extends the right after a heartbeat that began then, unless it ended or was given up meanwhile: deliveries whose turn
    /// it was since then were dropped, and only a new epoch puts them back into the queue.
    fn extend(&self, began_at: Instant) -> bool {
        let mut valid_until = self.valid_until();
        let held = Instant::now() < *valid_until;
        if held {
            *valid_until = began_at + NODE_TIME_TO_LIVE - STOP_SENDING_BEFORE_EXPIRY;
        }
        held
    }

    async fn rejoin(&self, queue: &QueueStore) -> Result<u64, LeaseError> {
        let began = Instant::now();
        // Messages that wait to be written have their ids already, and will be written under the new epoch.
        let mark = self.inner.held_messages.low_water_mark();
        let Inner { name, address, .. } = &*self.inner;
        match queue.join_node(name, address, Takeover::IfStale, NODE_TIME_TO_LIVE, mark).await? {
            Joined::NameInUse { .. } => Err(LeaseError::NameInUse(name.clone())),
            Joined::As { epoch, freed } => {
                let mut unresolved = self.unresolved();
                *self.inner.verified_mark.lock().unwrap_or_else(PoisonError::into_inner) = mark;
                self.inner.epoch.store(epoch, Ordering::Release);
                *self.valid_until() = began + NODE_TIME_TO_LIVE - STOP_SENDING_BEFORE_EXPIRY;
                unresolved.retain(|(left, _)| *left == epoch);
                Ok(freed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(valid_until: Instant) -> Lease {
        Lease::for_test(7, valid_until)
    }

    #[test]
    fn a_heartbeat_extends_a_lease_that_is_held() {
        let now = Instant::now();
        let lease = lease(now + Duration::from_secs(5));
        assert!(lease.extend(now));
        assert!(lease.covers(7) && !lease.covers(6));
        assert_eq!(*lease.valid_until(), now + NODE_TIME_TO_LIVE - STOP_SENDING_BEFORE_EXPIRY);
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
        lease.give_up(7);
        assert!(!lease.extend(now));
        assert!(!lease.covers(7));
    }
}
