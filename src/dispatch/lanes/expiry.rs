//! The end of lanes and tenants without work: at once, or when a new one would be allowed no more than they are.

use std::cmp::Reverse;
use std::time::Instant;

use crate::domain::id::{ApplicationId, EndpointId};

use super::queued::Queued;
use super::{LaneOrTenant, Lanes};

impl<T: Queued> Lanes<T> {
    /// Forgets lanes and tenants that were kept until now, at most so many. Returns whether there may be more.
    pub(in crate::dispatch) fn forget_expired(&mut self, now: Instant, limit: usize) -> bool {
        for _ in 0..limit {
            match self.expiring.peek().copied() {
                Some(Reverse((at, expired))) if at <= now => {
                    self.expiring.pop();
                    self.forget(expired, now);
                }
                _ => return false,
            }
        }
        true
    }

    fn forget(&mut self, expired: LaneOrTenant, now: Instant) {
        match expired {
            LaneOrTenant::Lane(id) => {
                let Some(lane) = self.registry.lane_mut(id) else { return };
                lane.in_expiry_queue = false;
                if lane.is_idle() && lane.keep_until().is_none_or(|until| until <= now) {
                    self.remove(id);
                } else {
                    self.retire(id);
                }
            }
            LaneOrTenant::Tenant(id) => {
                let Some(tenant) = self.registry.tenant_mut(id) else { return };
                tenant.in_expiry_queue = false;
                if tenant.is_idle() && tenant.rate_limiter.waits_until(now).is_none() {
                    self.registry.remove_tenant(id);
                } else {
                    self.retire_tenant(id);
                }
            }
        }
    }

    /// Forgets a lane that has no work, at once or when it need not be kept any more.
    pub(super) fn retire(&mut self, endpoint: EndpointId) {
        let Some(lane) = self.registry.lane_mut(endpoint).filter(|lane| lane.is_idle()) else { return };
        match lane.keep_until() {
            Some(until) => {
                lane.in_expiry_queue = true;
                self.expiring.push(Reverse((until, LaneOrTenant::Lane(endpoint))));
            }
            None => self.remove(endpoint),
        }
    }

    fn remove(&mut self, endpoint: EndpointId) {
        if let Some(tenant) = self.registry.remove_lane(endpoint) {
            self.retire_tenant(tenant);
        }
    }

    /// The same for a tenant, which goes after its last lane.
    pub(super) fn retire_tenant(&mut self, id: ApplicationId) {
        let Some(tenant) = self.registry.tenant_mut(id).filter(|tenant| tenant.is_idle()) else { return };
        match tenant.rate_limiter.next_at() {
            Some(until) => {
                tenant.in_expiry_queue = true;
                self.expiring.push(Reverse((until, LaneOrTenant::Tenant(id))));
            }
            None => self.registry.remove_tenant(id),
        }
    }
}
