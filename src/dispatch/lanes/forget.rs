//! The end of lanes and tenants: at once, or when nothing of them has to be remembered any more.

use std::cmp::Reverse;
use std::time::Instant;

use crate::domain::id::{ApplicationId, EndpointId};

use super::lane::Queued;
use super::{LaneOrTenant, Lanes};

impl<T: Queued> Lanes<T> {
    /// Forgets what had to be remembered until now, so many at most. Returns whether there is more of it.
    pub(in crate::dispatch) fn forget(&mut self, now: Instant, at_most: usize) -> bool {
        for _ in 0..at_most {
            match self.remembered.peek().copied() {
                Some(Reverse((at, one))) if at <= now => {
                    self.remembered.pop();
                    self.forget_one(one, now);
                }
                _ => return false,
            }
        }
        true
    }

    fn forget_one(&mut self, one: LaneOrTenant, now: Instant) {
        match one {
            LaneOrTenant::Lane(id) => {
                let Some(lane) = self.roster.lane_mut(id) else { return };
                lane.remembered = false;
                if lane.is_idle() && lane.remember_until().is_none_or(|until| until <= now) {
                    self.remove(id);
                } else {
                    self.retire(id);
                }
            }
            LaneOrTenant::Tenant(id) => {
                let Some(tenant) = self.roster.tenant_mut(id) else { return };
                tenant.remembered = false;
                if tenant.is_idle() && tenant.pace.waits_until(now).is_none() {
                    self.roster.remove_tenant(id);
                } else {
                    self.retire_tenant(id);
                }
            }
        }
    }

    /// Forgets a lane that has nothing to do, at once or when nothing of it has to be remembered any more.
    pub(super) fn retire(&mut self, endpoint: EndpointId) {
        let Some(lane) = self.roster.lane_mut(endpoint).filter(|lane| lane.is_idle()) else { return };
        match lane.remember_until() {
            Some(until) => {
                lane.remembered = true;
                self.remembered.push(Reverse((until, LaneOrTenant::Lane(endpoint))));
            }
            None => self.remove(endpoint),
        }
    }

    fn remove(&mut self, endpoint: EndpointId) {
        if let Some(tenant) = self.roster.remove_lane(endpoint) {
            self.retire_tenant(tenant);
        }
    }

    /// The same for a tenant, which goes after its last lane.
    pub(super) fn retire_tenant(&mut self, id: ApplicationId) {
        let Some(tenant) = self.roster.tenant_mut(id).filter(|tenant| tenant.is_idle()) else { return };
        match tenant.pace.next_at() {
            Some(until) => {
                tenant.remembered = true;
                self.remembered.push(Reverse((until, LaneOrTenant::Tenant(id))));
            }
            None => self.roster.remove_tenant(id),
        }
    }

    /// How many steps were taken so far: looks at lanes, tenants and entries of lists.
    #[cfg(test)]
    pub(in crate::dispatch) fn steps(&self) -> usize {
        self.roster.steps()
    }

    /// How many lanes, tenants and entries of lists there are.
    #[cfg(test)]
    pub(in crate::dispatch) fn kept(&self) -> [usize; 6] {
        let lists = [self.turn.len(), self.sleeping.len(), self.remembered.len(), self.queued_since.len()];
        let [turn, sleeping, remembered, queued_since] = lists;
        [self.roster.lane_count(), self.roster.tenants().len(), turn, sleeping, remembered, queued_since]
    }
}
