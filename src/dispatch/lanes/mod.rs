//! Lanes: one for each endpoint, with a short queue, a window of requests at once, and whatever governs its pace.
//! A pure state machine: it is told what arrives and what finished, and says what goes next.
//!
//! Turns go round by tenant, then by the tenant's endpoints, one delivery a turn, so that a loud tenant or a slow
//! endpoint costs others nothing. A lane that cannot go is on no list, and so costs nothing either. Within a lane,
//! first attempts go before retries, but every eighth turn is a retry's, and more while many wait, so that neither starves.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use crate::domain::endpoint::Endpoint;
use crate::domain::id::{ApplicationId, EndpointId};

use backpressure::Queue;
use lane::{Lane, MOST_CLAIMED, Queued};
use roster::Roster;
use window::Bearing;

pub(super) mod backpressure;
#[cfg(test)]
mod cost_test;
mod forget;
pub(super) mod lane;
mod roster;
#[cfg(test)]
pub(super) mod turn_test;
pub(super) mod window;
#[cfg(test)]
mod window_test;

/// Entries whose lanes are gone may stand between those that count, so many and once as many as there are lanes.
const STALE_ENTRIES: usize = 256;

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
enum LaneOrTenant {
    Lane(EndpointId),
    Tenant(ApplicationId),
}

/// What has its moment; the soonest first.
type Timeline<K> = BinaryHeap<Reverse<(Instant, K)>>;

/// All lanes.
///
/// A lane or a tenant that stands on a list stays until the list is through with it, so that no list has to be searched.
pub(super) struct Lanes<T> {
    limits: LaneLimits,
    roster: Roster<T>,
    /// Tenants that can go, in turn.
    turn: VecDeque<ApplicationId>,
    /// What can go once its pace allows it.
    sleeping: Timeline<LaneOrTenant>,
    /// What has nothing to do, and is forgotten at this moment.
    remembered: Timeline<LaneOrTenant>,
    /// Lanes that have had something queued since then. Entries whose lanes are gone are left in, up to a bound.
    queued_since: Timeline<EndpointId>,
    in_flight: usize,
    queued: usize,
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
            roster: Roster::new(),
            turn: VecDeque::new(),
            sleeping: BinaryHeap::new(),
            remembered: BinaryHeap::new(),
            queued_since: BinaryHeap::new(),
            in_flight: 0,
            queued: 0,
            paused: false,
            suspended: false,
            just_resumed: false,
        }
    }

    fn lane(&mut self, endpoint: &Arc<Endpoint>) -> &mut Lane<T> {
        let lane = self.roster.lane_of(endpoint, self.just_resumed || endpoint.just_opened);
        lane.adopt(endpoint);
        lane
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
        if let Some(lane) = self.roster.lane_mut(endpoint) {
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
        self.has_queued(endpoint.id, now);
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
        self.has_queued(endpoint.id, now);
        Ok(())
    }

    /// One more is queued in this lane.
    fn has_queued(&mut self, endpoint: EndpointId, now: Instant) {
        self.queued += 1;
        if let Some(lane) = self.roster.lane_mut(endpoint)
            && lane.queued_since.is_none()
        {
            lane.queued_since = Some(now);
            self.queued_since.push(Reverse((now, endpoint)));
            self.drop_stale_entries();
        }
        self.list(endpoint, now);
    }

    /// Keeps the entries of lanes that are gone fewer than those of lanes that are there.
    fn drop_stale_entries(&mut self) {
        if self.queued_since.len() > 2 * self.roster.lane_count() + STALE_ENTRIES {
            let roster = &self.roster;
            let counts =
                |since: Instant, id| roster.lane(id).is_some_and(|lane| lane.queued_since == Some(since));
            self.queued_since.retain(|Reverse((since, id))| counts(*since, *id));
        }
    }

    /// Puts a lane on its tenant's list, and the tenant on the list of those whose turn comes, if they can go.
    fn list(&mut self, endpoint: EndpointId, now: Instant) {
        let Some((lane, tenant)) = self.roster.lane_and_tenant(endpoint) else { return };
        if lane.listed || !lane.can_go() {
            return;
        }
        if let Some(at) = lane.pace.waits_until(now) {
            if !lane.asleep {
                lane.asleep = true;
                self.sleeping.push(Reverse((at, LaneOrTenant::Lane(endpoint))));
            }
            return;
        }
        lane.listed = true;
        tenant.turn.push_back(endpoint);
        let tenant_id = lane.endpoint.application_id;
        self.list_tenant(tenant_id, now);
    }

    fn list_tenant(&mut self, id: ApplicationId, now: Instant) {
        let Some(tenant) = self.roster.tenant_mut(id) else { return };
        if tenant.listed
            || tenant.asleep
            || tenant.turn.is_empty()
            || tenant.in_flight >= self.limits.in_flight_per_tenant
        {
            return;
        }
        match tenant.pace.waits_until(now) {
            Some(at) => {
                tenant.asleep = true;
                self.sleeping.push(Reverse((at, LaneOrTenant::Tenant(id))));
            }
            None => {
                tenant.listed = true;
                self.turn.push_back(id);
            }
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
            let taken = self.take_turn(tenant_id, now);
            self.list_tenant(tenant_id, now);
            if taken.is_some() {
                return taken;
            }
            self.retire_tenant(tenant_id);
        }
        None
    }

    /// What this tenant sends next. Lanes that have nothing any more are passed over.
    fn take_turn(&mut self, tenant_id: ApplicationId, now: Instant) -> Option<T> {
        self.roster.tenant_mut(tenant_id)?.listed = false;
        loop {
            let endpoint = self.roster.tenant_mut(tenant_id)?.turn.pop_front()?;
            let Some((lane, tenant)) = self.roster.lane_and_tenant(endpoint) else { continue };
            lane.listed = false;
            let taken = if lane.can_go() { lane.take() } else { None };
            if taken.is_some() {
                lane.in_flight += 1;
                lane.pace.spend(lane.endpoint.policy.rate_limit, now);
                tenant.in_flight += 1;
                tenant.pace.spend(lane.endpoint.policy.application_rate_limit, now);
                self.in_flight += 1;
                self.queued = self.queued.saturating_sub(1);
                self.list(endpoint, now);
                return taken;
            }
            self.retire(endpoint);
        }
    }

    /// Lists again what slept until now.
    pub(super) fn wake(&mut self, now: Instant) {
        while let Some(Reverse((at, sleeper))) = self.sleeping.peek().copied() {
            if at > now {
                return;
            }
            self.sleeping.pop();
            match sleeper {
                LaneOrTenant::Lane(id) => {
                    if let Some(lane) = self.roster.lane_mut(id) {
                        lane.asleep = false;
                        self.list(id, now);
                        self.retire(id);
                    }
                }
                LaneOrTenant::Tenant(id) => {
                    if let Some(tenant) = self.roster.tenant_mut(id) {
                        tenant.asleep = false;
                        self.list_tenant(id, now);
                        self.retire_tenant(id);
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
        let most = self.limits.claimed_per_lane();
        let Some((lane, tenant)) = self.roster.lane_and_tenant(endpoint) else { return false };
        lane.in_flight = lane.in_flight.saturating_sub(1);
        lane.last_finished_at = Some(now);
        lane.bear(bearing);
        let most = most.min(lane.claims_at_once());
        let reopened = lane.crowded && lane.claimed.len() <= most / 2;
        if reopened {
            lane.crowded = false;
        }
        let tenant_id = lane.endpoint.application_id;
        tenant.in_flight = tenant.in_flight.saturating_sub(1);
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
        let Some(lane) = self.roster.lane_mut(endpoint) else { return bounded(most.min(MOST_CLAIMED)) };
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
        let lanes = endpoints.filter_map(|id| self.roster.lane(id)).filter(|lane| lane.is_pressed());
        let queues =
            lanes.filter_map(|lane| lane.backpressure.queue(lane.endpoint.id, lane.first.len(), now));
        queues.max_by_key(|queue| queue.length)
    }

    /// Somebody has waited for this lane's queue to get shorter, since it had let so many go.
    pub(super) fn judge(&mut self, endpoint: EndpointId, let_go: u64, strained: bool, now: Instant) {
        if let Some(lane) = self.roster.lane_mut(endpoint) {
            lane.backpressure.judge(let_go, strained, now);
        }
    }

    /// Takes a newer snapshot of an endpoint over. What a lane that closes had queued comes back.
    pub(super) fn update(&mut self, endpoint: &Arc<Endpoint>, now: Instant) -> Vec<T> {
        let Some(lane) = self.roster.lane_mut(endpoint.id) else { return Vec::new() };
        lane.suspended = false;
        lane.adopt(endpoint);
        let back = if lane.endpoint.closed { lane.drain() } else { Vec::new() };
        self.queued = self.queued.saturating_sub(back.len());
        self.list(endpoint.id, now);
        self.retire(endpoint.id);
        back
    }

    /// Lets nothing go to this tenant's endpoints until each is updated or deleted. False when it has no lane.
    pub(super) fn suspend(&mut self, tenant: ApplicationId) -> bool {
        let endpoints = self.endpoints_of(tenant);
        for id in &endpoints {
            if let Some(lane) = self.roster.lane_mut(*id) {
                lane.suspended = true;
            }
        }
        !endpoints.is_empty()
    }

    /// Lets nothing go at all, or lets everything go on.
    pub(super) fn suspend_all(&mut self, suspended: bool) {
        self.suspended = suspended;
    }

    /// The newest snapshot of an endpoint that has a lane.
    pub(super) fn snapshot(&self, endpoint: EndpointId) -> Option<Arc<Endpoint>> {
        self.roster.lane(endpoint).map(|lane| lane.endpoint.clone())
    }

    /// The endpoints of a tenant that have a lane.
    pub(super) fn endpoints_of(&self, tenant: ApplicationId) -> Vec<EndpointId> {
        self.roster.endpoints_of(tenant).collect()
    }

    /// The tenants that have a lane, or had one a moment ago.
    pub(super) fn tenants(&self) -> Vec<ApplicationId> {
        self.roster.tenants()
    }

    /// Takes note that an endpoint was deleted. What its lane had queued comes back.
    pub(super) fn delete(&mut self, endpoint: EndpointId) -> Vec<T> {
        if let Some(lane) = self.roster.lane_mut(endpoint) {
            lane.suspended = false;
            lane.deleted = true;
        }
        self.drain(endpoint)
    }

    fn drain(&mut self, endpoint: EndpointId) -> Vec<T> {
        let drained = self.roster.lane_mut(endpoint).map(Lane::drain).unwrap_or_default();
        self.queued = self.queued.saturating_sub(drained.len());
        self.retire(endpoint);
        drained
    }

    /// Empties every queue of what came before `moment`. Queues whose oldest came later are not looked at.
    pub(super) fn drain_before(&mut self, moment: Instant) -> Vec<T> {
        let mut all = Vec::new();
        while let Some(Reverse((since, id))) = self.queued_since.peek().copied() {
            if since >= moment {
                break;
            }
            self.queued_since.pop();
            let Some(lane) = self.roster.lane_mut(id).filter(|lane| lane.queued_since == Some(since)) else {
                continue;
            };
            let drained = lane.drain_before(moment);
            lane.queued_since = lane.oldest();
            self.queued_since.extend(lane.queued_since.map(|oldest| Reverse((oldest, id))));
            self.queued = self.queued.saturating_sub(drained.len());
            all.extend(drained);
            self.retire(id);
        }
        all
    }

    /// Nothing goes and nothing is taken on from here. What was queued comes back; what is in flight finishes.
    pub(super) fn pause(&mut self) -> Vec<T> {
        self.paused = true;
        self.roster.endpoints().into_iter().flat_map(|id| self.drain(id)).collect()
    }

    /// Goes on; the lanes that there are begin slowly.
    pub(super) fn resume(&mut self) {
        self.paused = false;
        self.roster.lanes_mut().for_each(Lane::open_slowly);
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
        self.queued
    }
}

fn bounded(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
