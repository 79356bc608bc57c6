//! The connections that are open, and which of them is closed when there is no room for another.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::id::ApplicationId;

use super::ListenerLimits;
use super::connection_state::{ClosePriority, ConnectionState};

/// A tenant that has more than this part of all connections has one closed when there is no room for another.
const TENANTS_PART: usize = 8;

/// The open connections, by the order in which they came.
pub(super) struct OpenConnections {
    max: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    /// By their numbers, so that those that came first are looked at first.
    connections: BTreeMap<u64, Arc<ConnectionState>>,
}

/// Counts a connection as open until it is dropped.
pub(super) struct ConnectionSlot {
    number: u64,
    open: Arc<OpenConnections>,
}

impl OpenConnections {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, inner: Mutex::default() })
    }

    /// Adds a connection. When there are too many, the oldest unauthenticated one is closed, one without a request before
    /// one with, or else the one that has been idle for longest. When every connection has a request of a known caller, the
    /// oldest of the tenant that has the most goes, if that is more than a tenant's share; `None` when nobody has so many.
    pub(super) fn add(self: &Arc<Self>, state: &Arc<ConnectionState>) -> Option<ConnectionSlot> {
        let mut inner = self.inner();
        if inner.connections.len() >= self.max && !inner.close_one(self.max) {
            return None;
        }
        let number = inner.next;
        inner.next += 1;
        inner.connections.insert(number, state.clone());
        drop(inner);
        Some(ConnectionSlot { number, open: self.clone() })
    }

    /// How long a new connection has to wait before another one is closed for it: that one must be this old.
    pub(super) fn wait_for_room(&self, min_age: Duration) -> Duration {
        let inner = self.inner();
        if inner.connections.len() < self.max {
            return Duration::ZERO;
        }
        let goes = inner.next_to_close().or_else(|| inner.of_largest_tenant(self.max));
        let goes = goes.and_then(|number| inner.connections.get(&number));
        goes.map_or(Duration::ZERO, |state| min_age.saturating_sub(state.age()))
    }

    /// Has one connection closed, if one can be spared.
    pub(super) fn make_room(&self) {
        self.inner().close_one(self.max);
    }

    /// Those that had their time.
    pub(super) fn overdue(&self, now_ms: u64, limits: &ListenerLimits) -> Vec<Arc<ConnectionState>> {
        let inner = self.inner();
        inner.connections.values().filter(|state| state.is_overdue(now_ms, limits)).cloned().collect()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn next_to_close(&self) -> Option<u64> {
        let now = Instant::now();
        let mut best = None;
        for (number, state) in &self.connections {
            let Some((priority, since)) = state.close_priority(now) else { continue };
            // The first of these is the oldest. In a siege they are most of all, so the rest is not looked at.
            if priority == ClosePriority::Unauthenticated {
                return Some(*number);
            }
            let this = (priority, since, *number);
            best = Some(best.map_or(this, |best: (_, _, _)| best.min(this)));
        }
        best.map(|(_, _, number)| number)
    }

    /// The oldest connection of the tenant that has the most of them, if these are more than a tenant's share.
    fn of_largest_tenant(&self, max: usize) -> Option<u64> {
        let mut tenants: HashMap<ApplicationId, (usize, u64)> = HashMap::new();
        for (number, state) in &self.connections {
            if let Some(tenant) = state.caller.tenant() {
                tenants.entry(tenant).or_insert((0, *number)).0 += 1;
            }
        }
        let (most, oldest) = tenants.into_values().max_by_key(|(count, _)| *count)?;
        (most > max / TENANTS_PART).then_some(oldest)
    }

    /// Closes one connection, if one may be closed. It is forgotten at once, so that each new connection closes another one.
    fn close_one(&mut self, max: usize) -> bool {
        if let Some(state) = self.next_to_close().and_then(|number| self.connections.remove(&number)) {
            state.close();
            return true;
        }
        let of_tenant = self.of_largest_tenant(max).and_then(|number| self.connections.remove(&number));
        if let Some(state) = &of_tenant {
            state.end_all();
        }
        of_tenant.is_some()
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.open.inner().connections.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection_state::CoarseClock;
    use super::*;

    fn state() -> Arc<ConnectionState> {
        Arc::new(ConnectionState::new(CoarseClock::default(), 1 << 20))
    }

    #[test]
    fn the_oldest_unauthenticated_is_closed_and_then_the_idle() {
        let open = OpenConnections::new(3);
        let [known, idle, unknown, newcomer] = [state(), state(), state(), state()];
        known.caller.note_known(None);
        idle.caller.note_known(None);
        let busy = known.begin(http::Version::HTTP_11);
        let _slots: Vec<_> = [&known, &idle, &unknown].map(|it| open.add(it).unwrap()).into();
        let numbers = || {
            let mut numbers: Vec<u64> = open.inner().connections.keys().copied().collect();
            numbers.sort_unstable();
            numbers
        };
        newcomer.caller.note_known(None);
        let newcomers_request = newcomer.begin(http::Version::HTTP_11);
        let _third = open.add(&newcomer).unwrap();
        assert_eq!(numbers(), [0, 1, 3], "the unauthenticated one was closed");
        let another = state();
        let _fourth = open.add(&another).unwrap();
        assert_eq!(numbers(), [0, 3, 4], "the idle one was closed");
        another.caller.note_known(None);
        let anothers_request = another.begin(http::Version::HTTP_11);
        assert!(open.add(&state()).is_none(), "all are busy");
        drop((busy, newcomers_request, anothers_request));
        assert!(open.add(&state()).is_some());
    }

    #[test]
    fn a_tenant_with_more_than_its_share_at_work_gives_one_up_and_others_do_not() {
        let open = OpenConnections::new(8);
        let [many, few] = [ApplicationId::generate(), ApplicationId::generate()];
        let mut at_work = Vec::new();
        for tenant in [Some(few), None, Some(many), None, Some(many), None, None, None] {
            let state = state();
            state.caller.note_known(tenant);
            at_work.push((open.add(&state).unwrap(), state.begin(http::Version::HTTP_11), state));
        }
        let newcomer = state();
        let _slot = open.add(&newcomer).unwrap();
        newcomer.caller.note_known(None);
        let _request = newcomer.begin(http::Version::HTTP_11);
        let ended: Vec<usize> = (0..8).filter(|nth| at_work[*nth].2.must_end()).collect();
        assert_eq!(ended, [2], "the oldest of the one that has two");
        assert!(open.add(&state()).is_none(), "a tenant's share is its own");
    }

    #[test]
    fn nobody_is_closed_before_there_was_min_age() {
        let open = OpenConnections::new(1);
        let long = Duration::from_secs(3600);
        assert_eq!(open.wait_for_room(long), Duration::ZERO, "there is room");
        let _place = open.add(&state()).unwrap();
        let wait = open.wait_for_room(long);
        assert!(wait > Duration::ZERO && wait <= long);
        assert_eq!(open.wait_for_room(Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn a_connection_that_ends_frees_its_slot() {
        let open = OpenConnections::new(1);
        let slot = open.add(&state()).unwrap();
        drop(slot);
        assert!(open.inner().connections.is_empty());
    }
}
