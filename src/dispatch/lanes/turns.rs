//! Whose turn it is: tenants that can send are in one queue, and the lanes of each that can send in another.
//! What has to wait for its rate limit comes back into them in time.

use std::cmp::Reverse;
use std::time::Instant;

use crate::domain::id::{ApplicationId, EndpointId};

use super::queued::Queued;
use super::window::LoadSignal;
use super::{LaneOrTenant, Lanes};

impl<T: Queued> Lanes<T> {
    /// Puts a lane into its tenant's queue, and the tenant into the queue of tenants, if they can send.
    pub(super) fn make_ready(&mut self, endpoint: EndpointId, now: Instant) {
        let Some((lane, tenant)) = self.registry.lane_and_tenant(endpoint) else { return };
        if lane.in_ready_queue || !lane.can_send() {
            return;
        }
        if let Some(at) = lane.waits_until(now) {
            if !lane.in_rate_queue {
                lane.in_rate_queue = true;
                self.rate_limited.push(Reverse((at, LaneOrTenant::Lane(endpoint))));
            }
            return;
        }
        lane.in_ready_queue = true;
        tenant.ready_lanes.push_back(endpoint);
        let tenant_id = lane.endpoint.application_id;
        self.make_tenant_ready(tenant_id, now);
    }

    fn make_tenant_ready(&mut self, id: ApplicationId, now: Instant) {
        let Some(tenant) = self.registry.tenant_mut(id) else { return };
        if tenant.in_ready_queue
            || tenant.in_rate_queue
            || tenant.ready_lanes.is_empty()
            || tenant.in_flight >= self.limits.in_flight_per_tenant
        {
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

    /// The delivery whose turn it is, now in flight; `None` when nothing can be sent.
    pub(in crate::dispatch) fn next(&mut self, now: Instant) -> Option<T> {
        self.wake_rate_limited(now);
        if self.suspended || self.paces.is_unknown {
            return None;
        }
        while self.in_flight < self.limits.in_flight {
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
            let endpoint = self.registry.tenant_mut(tenant_id)?.ready_lanes.pop_front()?;
            let Some((lane, tenant)) = self.registry.lane_and_tenant(endpoint) else { continue };
            lane.in_ready_queue = false;
            if lane.throttle().is_some_and(|throttle| throttle.waits_until(now).is_some()) {
                // Its receiver asked for less while it stood in the queue.
                self.make_ready(endpoint, now);
                self.retire(endpoint);
                continue;
            }
            let taken = if lane.can_send() { lane.take(now) } else { None };
            if taken.is_some() {
                lane.in_flight += 1;
                if let Some(throttle) = lane.throttle_mut() {
                    throttle.spend(now);
                }
                lane.rate_limiter.spend(lane.endpoint.policy.rate_limit, now);
                tenant.in_flight += 1;
                tenant.rate_limiter.spend(lane.endpoint.policy.application_rate_limit, now);
                self.in_flight += 1;
                self.queued = self.queued.saturating_sub(1);
                self.make_ready(endpoint, now);
                return taken;
            }
            self.retire(endpoint);
        }
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

    /// A delivery from [`Lanes::next`] is no longer in flight. Returns whether a lane that had no room for claimed
    /// deliveries has room again, so that claiming for it is worth while.
    pub(in crate::dispatch) fn finished(
        &mut self,
        endpoint: EndpointId,
        signal: LoadSignal,
        now: Instant,
    ) -> bool {
        self.in_flight = self.in_flight.saturating_sub(1);
        let limit = self.limits.claimed_per_lane();
        let Some((lane, tenant)) = self.registry.lane_and_tenant(endpoint) else { return false };
        lane.record_result(signal, now);
        lane.in_flight = lane.in_flight.saturating_sub(1);
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
        tenant.in_flight = tenant.in_flight.saturating_sub(1);
        self.make_ready(endpoint, now);
        self.make_tenant_ready(tenant_id, now);
        self.retire(endpoint);
        has_room_again
    }
}
