//! Lanes: one for each endpoint, with a short queue, a window of requests at once, and whatever governs its pace.
//! A pure state machine: it is told what arrives and what finished, and says what goes next.
//!
//! Turns go round by tenant, then by the tenant's endpoints, one delivery a turn, so that a loud tenant or a slow
//! endpoint costs others nothing. A lane that cannot go is on no list, and so costs nothing either. Within a lane,
//! first attempts go before retries, but every eighth turn is a retry's, and more while many wait, so that neither starves.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use crate::domain::endpoint::Endpoint;
use crate::domain::id::{ApplicationId, EndpointId};

use super::backpressure::Queue;
use super::lane::{Lane, MOST_CLAIMED, Pace, Queued};
use super::window::Bearing;

/// Bounds of all lanes together.
#[derive(Debug, Clone, Copy)]
pub struct LaneLimits {
    /// Requests at once, all endpoints together.
    pub in_flight: usize,
    /// Requests at once of one tenant.
    pub in_flight_per_tenant: usize,
    /// First attempts that one lane queues. Of what was claimed it queues half as many.
    pub queued_per_lane: usize,
}

impl LaneLimits {
    fn claimed_per_lane(self) -> usize {
        (self.queued_per_lane / 2).max(1)
    }
}

/// Whether a lane takes another delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// A place is reserved: push, or cancel.
    Reserved,
    /// No room: it has to wait in the queue.
    Full,
    /// The endpoint is closed, or everything is paused: it is held.
    Closed,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Sleeper {
    Lane(EndpointId),
    Tenant(ApplicationId),
}

#[derive(Default)]
struct Tenant {
    /// Endpoints that can go, in turn.
    turn: VecDeque<EndpointId>,
    in_flight: usize,
    pace: Pace,
    lanes: usize,
    listed: bool,
}

/// All lanes.
pub(super) struct Lanes<T> {
    limits: LaneLimits,
    lanes: HashMap<EndpointId, Lane<T>>,
    tenants: HashMap<ApplicationId, Tenant>,
    /// Tenants that can go, in turn.
    turn: VecDeque<ApplicationId>,
    sleeping: BinaryHeap<Reverse<(Instant, Sleeper)>>,
    in_flight: usize,
    /// Nothing goes, whatever its lane.
    paused: bool,
    /// Nothing goes until it is known whether everything is paused.
    suspended: bool,
    /// It went on a moment ago, so that every new lane begins slowly.
    just_resumed: bool,
}

impl<T: Queued> Lanes<T> {
    /// No lanes yet.
    pub(super) fn new(limits: LaneLimits) -> Self {
        Self {
            limits,
            lanes: HashMap::new(),
            tenants: HashMap::new(),
            turn: VecDeque::new(),
            sleeping: BinaryHeap::new(),
            in_flight: 0,
            paused: false,
            suspended: false,
            just_resumed: false,
        }
    }

    fn lane(&mut self, endpoint: &Arc<Endpoint>) -> &mut Lane<T> {
        match self.lanes.entry(endpoint.id) {
            Entry::Occupied(lane) => {
                let lane = lane.into_mut();
                lane.adopt(endpoint);
                lane
            }
            Entry::Vacant(place) => {
                self.tenants.entry(endpoint.application_id).or_default().lanes += 1;
                place.insert(Lane::new(endpoint.clone(), self.just_resumed || endpoint.just_opened))
            }
        }
    }

    /// Reserves a place for a first attempt.
    pub(super) fn reserve(&mut self, endpoint: &Arc<Endpoint>) -> Admission {
        if self.paused {
            return Admission::Closed;
        }
        let most = self.limits.queued_per_lane;
        let lane = self.lane(endpoint);
        if lane.endpoint.closed {
            self.retire(endpoint.id);
            Admission::Closed
        } else if lane.first.len() + lane.reserved >= most {
            Admission::Full
        } else {
            lane.reserved += 1;
            Admission::Reserved
        }
    }

    /// Gives a reserved place back.
    pub(super) fn cancel(&mut self, endpoint: EndpointId) {
        if let Some(lane) = self.lanes.get_mut(&endpoint) {
            lane.reserved = lane.reserved.saturating_sub(1);
            self.retire(endpoint);
        }
    }

    /// Puts a first attempt into the place that was reserved for it. One whose lane has closed since comes back.
    pub(super) fn push_first(&mut self, endpoint: &Arc<Endpoint>, item: T, now: Instant) -> Option<T> {
        let paused = self.paused;
        let lane = self.lane(endpoint);
        lane.reserved = lane.reserved.saturating_sub(1);
        if paused || lane.endpoint.closed {
            self.retire(endpoint.id);
            return Some(item);
        }
        lane.first.push_back((now, item));
        self.list(endpoint.id, now);
        None
    }

    /// Puts a claimed delivery in, if the lane has room and is open.
    ///
    /// # Errors
    /// The delivery itself, with why it has no place.
    pub(super) fn push_claimed(
        &mut self,
        endpoint: &Arc<Endpoint>,
        item: T,
        now: Instant,
    ) -> Result<(), (T, Admission)> {
        let (paused, most) = (self.paused, self.limits.claimed_per_lane());
        let lane = self.lane(endpoint);
        if paused || lane.endpoint.closed {
            self.retire(endpoint.id);
            return Err((item, Admission::Closed));
        }
        if lane.claimed.len() >= most {
            lane.crowded = true;
            return Err((item, Admission::Full));
        }
        lane.claimed.push_back((now, item));
        self.list(endpoint.id, now);
        Ok(())
    }

    /// Puts a lane on its tenant's list, and the tenant on the list of those whose turn comes, if they can go.
    fn list(&mut self, endpoint: EndpointId, now: Instant) {
        let Some(lane) = self.lanes.get_mut(&endpoint) else { return };
        if lane.listed || !lane.can_go() {
            return;
        }
        if let Some(at) = lane.pace.waits_until(now) {
            if !lane.asleep {
                lane.asleep = true;
                self.sleeping.push(Reverse((at, Sleeper::Lane(endpoint))));
            }
            return;
        }
        lane.listed = true;
        let tenant_id = lane.endpoint.application_id;
        let tenant = self.tenants.entry(tenant_id).or_default();
        tenant.turn.push_back(endpoint);
        self.list_tenant(tenant_id, now);
    }

    fn list_tenant(&mut self, id: ApplicationId, now: Instant) {
        let Some(tenant) = self.tenants.get_mut(&id) else { return };
        if tenant.listed || tenant.turn.is_empty() || tenant.in_flight >= self.limits.in_flight_per_tenant {
            return;
        }
        tenant.listed = true;
        match tenant.pace.waits_until(now) {
            Some(at) => self.sleeping.push(Reverse((at, Sleeper::Tenant(id)))),
            None => self.turn.push_back(id),
        }
    }

    /// The delivery whose turn it is, now in flight; `None` when nothing can go.
    pub(super) fn next(&mut self, now: Instant) -> Option<T> {
        self.wake(now);
        if self.suspended {
            return None;
        }
        while self.in_flight < self.limits.in_flight {
            let tenant_id = self.turn.pop_front()?;
            let Some(tenant) = self.tenants.get_mut(&tenant_id) else { continue };
            tenant.listed = false;
            let Some(endpoint) = tenant.turn.pop_front() else { continue };
            let Some(lane) = self.lanes.get_mut(&endpoint) else { continue };
            lane.listed = false;
            let taken = if lane.can_go() { lane.take() } else { None };
            if taken.is_some() {
                lane.in_flight += 1;
                lane.pace.spend(lane.endpoint.rate_limit, now);
                tenant.in_flight += 1;
                tenant.pace.spend(lane.endpoint.tenant_rate_limit, now);
                self.in_flight += 1;
            }
            self.list(endpoint, now);
            self.list_tenant(tenant_id, now);
            if taken.is_some() {
                return taken;
            }
        }
        None
    }

    /// Lists again what slept until now.
    fn wake(&mut self, now: Instant) {
        while let Some(Reverse((at, sleeper))) = self.sleeping.peek().copied() {
            if at > now {
                return;
            }
            self.sleeping.pop();
            match sleeper {
                Sleeper::Lane(id) => {
                    if let Some(lane) = self.lanes.get_mut(&id) {
                        lane.asleep = false;
                        self.list(id, now);
                        self.retire(id);
                    }
                }
                Sleeper::Tenant(id) => {
                    if let Some(tenant) = self.tenants.get_mut(&id) {
                        tenant.listed = false;
                        self.list_tenant(id, now);
                    }
                }
            }
        }
    }

    /// When [`Lanes::next`] may have something more to give because time passed.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        self.sleeping.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes note that a delivery from [`Lanes::next`] is no longer in flight. Returns whether a lane that had no
    /// room has room again, so that claiming for it is worth while.
    pub(super) fn finished(&mut self, endpoint: EndpointId, bearing: Bearing, now: Instant) -> bool {
        self.in_flight = self.in_flight.saturating_sub(1);
        let Some(lane) = self.lanes.get_mut(&endpoint) else { return false };
        lane.in_flight = lane.in_flight.saturating_sub(1);
        lane.bear(bearing);
        let most = self.limits.claimed_per_lane().min(lane.claims_at_once());
        let reopened = lane.crowded && lane.claimed.len() <= most / 2;
        if reopened {
            lane.crowded = false;
        }
        let tenant_id = lane.endpoint.application_id;
        if let Some(tenant) = self.tenants.get_mut(&tenant_id) {
            tenant.in_flight = tenant.in_flight.saturating_sub(1);
        }
        self.list(endpoint, now);
        self.list_tenant(tenant_id, now);
        self.retire(endpoint);
        reopened
    }

    /// How many rows to claim for an endpoint. For a lane that has no room it is none, and [`Lanes::finished`] says
    /// when it has room again; a sweep follows a pause. First attempts that queue take nothing of this room: however
    /// many come, what waits in the queue gets its turns.
    pub(super) fn room(&mut self, endpoint: EndpointId) -> u16 {
        if self.paused {
            return 0;
        }
        let most = self.limits.claimed_per_lane();
        let Some(lane) = self.lanes.get_mut(&endpoint) else { return bounded(most.min(MOST_CLAIMED)) };
        let room = most.min(lane.claims_at_once()).saturating_sub(lane.claimed.len());
        lane.crowded = room == 0;
        bounded(room)
    }

    /// The longest queue of first attempts before these endpoints, where it holds up those who make it longer.
    pub(super) fn longest_queue(
        &self,
        endpoints: impl Iterator<Item = EndpointId>,
        now: Instant,
    ) -> Option<Queue> {
        let lanes = endpoints.filter_map(|id| self.lanes.get(&id)).filter(|lane| lane.is_pressed());
        let queues =
            lanes.filter_map(|lane| lane.backpressure.queue(lane.endpoint.id, lane.first.len(), now));
        queues.max_by_key(|queue| queue.length)
    }

    /// Somebody has waited for this lane's queue to get shorter, since it had let so many go.
    pub(super) fn judge(&mut self, endpoint: EndpointId, let_go: u64, strained: bool, now: Instant) {
        if let Some(lane) = self.lanes.get_mut(&endpoint) {
            lane.backpressure.judge(let_go, strained, now);
        }
    }

    /// Takes a newer picture of an endpoint over. What a lane that closes had queued comes back.
    pub(super) fn update(&mut self, endpoint: &Arc<Endpoint>, now: Instant) -> Vec<T> {
        let Some(lane) = self.lanes.get_mut(&endpoint.id) else { return Vec::new() };
        lane.suspended = false;
        lane.adopt(endpoint);
        let back = if lane.endpoint.closed { lane.drain() } else { Vec::new() };
        self.list(endpoint.id, now);
        self.retire(endpoint.id);
        back
    }

    /// Lets nothing go to this tenant's endpoints until each is updated or drained. False when it has no lane.
    pub(super) fn suspend(&mut self, tenant: ApplicationId) -> bool {
        let lanes = self.lanes.values_mut().filter(|lane| lane.endpoint.application_id == tenant);
        lanes.map(|lane| lane.suspended = true).count() > 0
    }

    /// Lets nothing go at all, or lets everything go on.
    pub(super) fn suspend_all(&mut self, suspended: bool) {
        self.suspended = suspended;
    }

    /// The newest picture of an endpoint that has a lane.
    pub(super) fn picture(&self, endpoint: EndpointId) -> Option<Arc<Endpoint>> {
        self.lanes.get(&endpoint).map(|lane| lane.endpoint.clone())
    }

    /// The endpoints of a tenant that have a lane.
    pub(super) fn endpoints_of(&self, tenant: ApplicationId) -> Vec<EndpointId> {
        self.lanes
            .iter()
            .filter(|(_, lane)| lane.endpoint.application_id == tenant)
            .map(|(id, _)| *id)
            .collect()
    }

    /// The tenants that have a lane.
    pub(super) fn tenants(&self) -> Vec<ApplicationId> {
        self.tenants.keys().copied().collect()
    }

    /// Empties the queue of one endpoint's lane.
    pub(super) fn drain(&mut self, endpoint: EndpointId) -> Vec<T> {
        let drained = match self.lanes.get_mut(&endpoint) {
            Some(lane) => {
                lane.suspended = false;
                lane.drain()
            }
            None => Vec::new(),
        };
        self.retire(endpoint);
        drained
    }

    /// Empties every queue of what came before `moment`.
    pub(super) fn drain_before(&mut self, moment: Instant) -> Vec<T> {
        let ids: Vec<EndpointId> = self.lanes.keys().copied().collect();
        let mut drained = Vec::new();
        for id in ids {
            if let Some(lane) = self.lanes.get_mut(&id) {
                drained.extend(lane.drain_before(moment));
            }
            self.retire(id);
        }
        drained
    }

    /// Nothing goes and nothing is taken on from here. What was queued comes back; what is in flight finishes.
    pub(super) fn pause(&mut self) -> Vec<T> {
        self.paused = true;
        let ids: Vec<EndpointId> = self.lanes.keys().copied().collect();
        ids.into_iter().flat_map(|id| self.drain(id)).collect()
    }

    /// Goes on; the lanes that there are begin slowly.
    pub(super) fn resume(&mut self) {
        self.paused = false;
        self.lanes.values_mut().for_each(Lane::open_slowly);
    }

    /// Whether new lanes begin slowly, because everything was paused until a moment ago.
    pub(super) fn begin_slowly(&mut self, just_resumed: bool) {
        self.just_resumed = just_resumed;
    }

    /// Whether everything is paused.
    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    /// Requests under way.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Deliveries queued.
    pub(super) fn queued(&self) -> usize {
        self.lanes.values().map(Lane::queued).sum()
    }

    /// Forgets a lane that has nothing to remember, and its tenant with its last lane.
    fn retire(&mut self, endpoint: EndpointId) {
        let Some(lane) = self.lanes.get(&endpoint) else { return };
        if !lane.is_idle() {
            return;
        }
        let tenant_id = lane.endpoint.application_id;
        self.lanes.remove(&endpoint);
        let Some(tenant) = self.tenants.get_mut(&tenant_id) else { return };
        tenant.lanes = tenant.lanes.saturating_sub(1);
        tenant.turn.retain(|id| *id != endpoint);
        if tenant.lanes == 0 && tenant.in_flight == 0 && !tenant.pace.is_spent() {
            self.tenants.remove(&tenant_id);
            self.turn.retain(|id| *id != tenant_id);
        }
    }
}

fn bounded(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
