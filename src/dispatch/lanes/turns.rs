//! Whose turn it is: tenants that can send are in one queue, and the lanes of each that can send in two others, quick ones
//! and slow ones, which take turns. What has to wait for its rate limit comes back into them in time, and tenants whose lanes
//! are all slow while slow lanes have enough under way (`speed.rs`) when there is room again.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use crate::domain::id::{ApplicationId, EndpointId};

use super::queued::Queued;
use super::speed::Speed;
use super::under_way::UnderWay;
use super::window::LoadSignal;
use super::{LaneOrTenant, Lanes};

impl<T: Queued> Lanes<T> {
    /// Puts a lane into its tenant's queue, and the tenant into the queue of tenants, if they can send.
    pub(super) fn make_ready(&mut self, endpoint: EndpointId, now: Instant) {
        let Some((lane, tenant)) = self.registry.lane_and_tenant(endpoint) else { return };
        if lane.is_in_its_queue() || !lane.can_send() {
            return;
        }
        if let Some(at) = lane.waits_until(now) {
            if !lane.in_rate_queue {
                lane.in_rate_queue = true;
                self.rate_limited.push(Reverse((at, LaneOrTenant::Lane(endpoint))));
            }
            return;
        }
        match lane.speed() {
            Speed::Quick => {
                lane.in_quick_queue = true;
                tenant.quick_lanes.push_back(endpoint);
            }
            Speed::Slow => {
                lane.in_slow_queue = true;
                tenant.slow_lanes.push_back(endpoint);
            }
        }
        let tenant_id = lane.endpoint.application_id;
        self.make_tenant_ready(tenant_id, now);
    }

    fn make_tenant_ready(&mut self, id: ApplicationId, now: Instant) {
        let (limits, all_have_room) = (self.limits, self.has_room_for_slow());
        let Some(tenant) = self.registry.tenant_mut(id) else { return };
        let slow_too = tenant.slow_in_flight < limits.slow_in_flight_per_tenant();
        if tenant.in_ready_queue
            || tenant.in_rate_queue
            || !tenant.has_ready_lane(slow_too)
            || tenant.in_flight >= limits.in_flight_per_tenant
        {
            return;
        }
        if !tenant.has_ready_lane(slow_too && all_have_room) {
            if !tenant.in_room_queue {
                tenant.in_room_queue = true;
                self.waiting_for_room.push_back(id);
            }
            return;
        }
        match tenant.rate_limiter.waits_until(now) {
            Some(at) => {
                tenant.in_rate_queue = true;
                self.rate_limited.push(Reverse((at, LaneOrTenant::Tenant(id))));
            }
            None => {
                tenant.in_ready_queue = true;
                self.ready_tenants.push_back(id);
            }
        }
    }

    fn has_room_for_slow(&self) -> bool {
        self.slow_in_flight < self.limits.slow_in_flight()
    }

    /// Brings back one tenant that waited for room, if there is some.
    fn wake_waiting_for_room(&mut self, now: Instant) {
        while self.has_room_for_slow() {
            let Some(id) = self.waiting_for_room.pop_front() else { return };
            if let Some(tenant) = self.registry.tenant_mut(id) {
                tenant.in_room_queue = false;
            }
            self.make_tenant_ready(id, now);
            self.retire_tenant(id);
            if !self.ready_tenants.is_empty() {
                return;
            }
        }
    }

    /// The delivery whose turn it is, now in flight; `None` when nothing can be sent.
    pub(in crate::dispatch) fn next(&mut self, now: Instant) -> Option<T> {
        self.wake_rate_limited(now);
        if self.suspended || self.paces.is_unknown {
            return None;
        }
        while self.in_flight < self.limits.in_flight {
            self.wake_waiting_for_room(now);
            let tenant_id = self.ready_tenants.pop_front()?;
            let taken = self.take_turn(tenant_id, now);
            self.make_tenant_ready(tenant_id, now);
            if taken.is_some() {
                return taken;
            }
            self.retire_tenant(tenant_id);
        }
        None
    }

    /// What this tenant sends next. Lanes that have nothing any more are passed over.
    fn take_turn(&mut self, tenant_id: ApplicationId, now: Instant) -> Option<T> {
        self.registry.tenant_mut(tenant_id)?.in_ready_queue = false;
        loop {
            let (endpoint, speed) = self.next_lane(tenant_id)?;
            let taken = self.take_from(endpoint, speed, now);
            self.make_ready(endpoint, now);
            if taken.is_some() {
                return taken;
            }
            self.retire(endpoint);
        }
    }

    /// Takes the next of a tenant's ready lanes out of its queue: quick ones and slow ones in turns, these while there is room
    /// for them. Says which queue it was.
    fn next_lane(&mut self, tenant_id: ApplicationId) -> Option<(EndpointId, Speed)> {
        let (limits, all_have_room) = (self.limits, self.has_room_for_slow());
        let tenant = self.registry.tenant_mut(tenant_id)?;
        let slow_too = all_have_room && tenant.slow_in_flight < limits.slow_in_flight_per_tenant();
        let is_slow = slow_too
            && !tenant.slow_lanes.is_empty()
            && (tenant.slow_is_next || tenant.quick_lanes.is_empty());
        let (lanes, speed) = if is_slow {
            (&mut tenant.slow_lanes, Speed::Slow)
        } else {
            (&mut tenant.quick_lanes, Speed::Quick)
        };
        let endpoint = lanes.pop_front()?;
        tenant.slow_is_next = !is_slow;
        Some((endpoint, speed))
    }

    /// What this lane, which has left one of its queues, sends now.
    fn take_from(&mut self, endpoint: EndpointId, left: Speed, now: Instant) -> Option<T> {
        let (lane, tenant) = self.registry.lane_and_tenant(endpoint)?;
        let mut under_way = UnderWay { lane, tenant, slow_in_flight: &mut self.slow_in_flight };
        under_way.look_at_the_time(now);
        let UnderWay { lane, .. } = &mut under_way;
        match left {
            Speed::Quick => lane.in_quick_queue = false,
            Speed::Slow => lane.in_slow_queue = false,
        }
        // It has become slow since, or its receiver asked for less while it stood in the queue.
        let is_another_queues = left == Speed::Quick && lane.speed() == Speed::Slow;
        let is_early = lane.throttle().is_some_and(|throttle| throttle.waits_until(now).is_some());
        if is_another_queues || is_early || !lane.can_send() {
            return None;
        }
        let taken = lane.take(now)?;
        under_way.begin(now);
        let UnderWay { lane, tenant, .. } = under_way;
        if let Some(throttle) = lane.throttle_mut() {
            throttle.spend(now);
        }
        lane.rate_limiter.spend(lane.endpoint.policy.rate_limit, now);
        tenant.rate_limiter.spend(lane.endpoint.policy.application_rate_limit, now);
        self.in_flight += 1;
        self.queued = self.queued.saturating_sub(1);
        Some(taken)
    }

    /// Brings back what waited for its rate limit until now.
    pub(in crate::dispatch) fn wake_rate_limited(&mut self, now: Instant) {
        while let Some(Reverse((at, waiter))) = self.rate_limited.peek().copied() {
            if at > now {
                return;
            }
            self.rate_limited.pop();
            match waiter {
                LaneOrTenant::Lane(id) => {
                    if let Some(lane) = self.registry.lane_mut(id) {
                        lane.in_rate_queue = false;
                        self.make_ready(id, now);
                        self.retire(id);
                    }
                }
                LaneOrTenant::Tenant(id) => {
                    if let Some(tenant) = self.registry.tenant_mut(id) {
                        tenant.in_rate_queue = false;
                        self.make_tenant_ready(id, now);
                        self.retire_tenant(id);
                    }
                }
            }
        }
    }

    /// When [`Lanes::next`] may have something more because a rate limit allows it.
    pub(in crate::dispatch) fn next_rate_limited_at(&self) -> Option<Instant> {
        self.rate_limited.peek().map(|Reverse((at, _))| *at)
    }

    /// A delivery from [`Lanes::next`] is no longer in flight; if it was sent, that `took` so long. Returns whether a lane
    /// that had no room for claimed deliveries has room again, so that claiming for it is worth while.
    pub(in crate::dispatch) fn finished(
        &mut self,
        endpoint: EndpointId,
        signal: LoadSignal,
        took: Option<Duration>,
        now: Instant,
    ) -> bool {
        self.in_flight = self.in_flight.saturating_sub(1);
        let limit = self.limits.claimed_per_lane();
        let Some((lane, tenant)) = self.registry.lane_and_tenant(endpoint) else { return false };
        lane.record_result(signal, now);
        UnderWay { lane, tenant, slow_in_flight: &mut self.slow_in_flight }.end(took, now);
        lane.last_finished_at = Some(now);
        if lane.pace.is_some() || matches!(signal, LoadSignal::TooFast(_)) {
            self.paces.record(lane, signal, now);
        }
        let limit = limit.min(lane.claim_limit());
        let has_room_again = lane.had_no_room && lane.claimed.len() <= limit / 2;
        if has_room_again {
            lane.had_no_room = false;
        }
        let tenant_id = lane.endpoint.application_id;
        self.make_ready(endpoint, now);
        self.make_tenant_ready(tenant_id, now);
        self.retire(endpoint);
        has_room_again
    }
}
