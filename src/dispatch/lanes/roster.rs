//! Which lanes and tenants there are, and which lanes are whose. Whatever is found, added or removed here costs the same
//! however many there are: the lanes of a tenant are linked to one another, so that none has to be searched for.

#[cfg(test)]
use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::domain::endpoint::Endpoint;
use crate::domain::id::{ApplicationId, EndpointId};

use super::lane::{Lane, Pace, Queued};

/// A tenant that has a lane, or has to be remembered.
#[derive(Default)]
pub(in crate::dispatch) struct Tenant {
    /// Endpoints that can go, in turn.
    pub(in crate::dispatch) turn: VecDeque<EndpointId>,
    pub(in crate::dispatch) in_flight: usize,
    pub(in crate::dispatch) pace: Pace,
    /// On the list of those whose turn comes.
    pub(in crate::dispatch) listed: bool,
    /// On the list of those that wait for a moment.
    pub(in crate::dispatch) asleep: bool,
    /// On the list of those that are remembered for a while.
    pub(in crate::dispatch) remembered: bool,
    /// One of its lanes; the others follow it.
    first_lane: Option<EndpointId>,
}

impl Tenant {
    /// No lane, nothing under way, and on no list.
    pub(in crate::dispatch) fn is_idle(&self) -> bool {
        self.first_lane.is_none() && self.in_flight == 0 && !self.listed && !self.asleep && !self.remembered
    }
}

/// A lane between its neighbours of the same tenant.
struct Link<T> {
    lane: Lane<T>,
    before: Option<EndpointId>,
    after: Option<EndpointId>,
}

/// All lanes and their tenants.
pub(in crate::dispatch) struct Roster<T> {
    lanes: HashMap<EndpointId, Link<T>>,
    tenants: HashMap<ApplicationId, Tenant>,
    /// For tests that show what something costs.
    #[cfg(test)]
    steps: Cell<usize>,
}

impl<T: Queued> Roster<T> {
    pub(in crate::dispatch) fn new() -> Self {
        Self {
            lanes: HashMap::new(),
            tenants: HashMap::new(),
            #[cfg(test)]
            steps: Cell::default(),
        }
    }

    /// Every look at a lane or a tenant is one.
    fn count_steps(&self, _count: usize) {
        #[cfg(test)]
        self.steps.set(self.steps.get() + _count);
    }

    /// How many steps were taken so far.
    #[cfg(test)]
    pub(in crate::dispatch) fn steps(&self) -> usize {
        self.steps.get()
    }

    /// What each tenant has under way.
    pub(in crate::dispatch) fn in_flight_by_tenant(&self) -> Vec<(ApplicationId, usize)> {
        let busy = self.tenants.iter().filter(|(_, tenant)| tenant.in_flight > 0);
        busy.map(|(id, tenant)| (*id, tenant.in_flight)).collect()
    }

    pub(in crate::dispatch) fn lane(&self, id: EndpointId) -> Option<&Lane<T>> {
        self.count_steps(1);
        self.lanes.get(&id).map(|link| &link.lane)
    }

    pub(in crate::dispatch) fn lane_mut(&mut self, id: EndpointId) -> Option<&mut Lane<T>> {
        self.count_steps(1);
        self.lanes.get_mut(&id).map(|link| &mut link.lane)
    }

    pub(in crate::dispatch) fn tenant_mut(&mut self, id: ApplicationId) -> Option<&mut Tenant> {
        self.count_steps(1);
        self.tenants.get_mut(&id)
    }

    /// A lane and the tenant that has it.
    pub(in crate::dispatch) fn lane_and_tenant(
        &mut self,
        id: EndpointId,
    ) -> Option<(&mut Lane<T>, &mut Tenant)> {
        self.count_steps(1);
        let lane = &mut self.lanes.get_mut(&id)?.lane;
        let tenant = self.tenants.get_mut(&lane.endpoint.application_id)?;
        Some((lane, tenant))
    }

    /// The endpoint's lane, which is made if there is none; one that just `opened` begins slowly.
    pub(in crate::dispatch) fn lane_of(&mut self, endpoint: &Arc<Endpoint>, opened: bool) -> &mut Lane<T> {
        self.count_steps(1);
        let after = if self.lanes.contains_key(&endpoint.id) { None } else { self.put_first(endpoint) };
        let new = || Link { lane: Lane::new(endpoint.clone(), opened), before: None, after };
        &mut self.lanes.entry(endpoint.id).or_insert_with(new).lane
    }

    /// Makes a new lane its tenant's first. Returns the one that was it before.
    fn put_first(&mut self, endpoint: &Endpoint) -> Option<EndpointId> {
        let tenant = self.tenants.entry(endpoint.application_id).or_default();
        let after = tenant.first_lane.replace(endpoint.id);
        if let Some(next) = after.and_then(|after| self.lanes.get_mut(&after)) {
            next.before = Some(endpoint.id);
        }
        after
    }

    /// Forgets a lane. Returns whose it was.
    pub(in crate::dispatch) fn remove_lane(&mut self, id: EndpointId) -> Option<ApplicationId> {
        self.count_steps(1);
        let Link { lane, before, after } = self.lanes.remove(&id)?;
        let tenant_id = lane.endpoint.application_id;
        match before.and_then(|before| self.lanes.get_mut(&before)) {
            Some(previous) => previous.after = after,
            None => {
                if let Some(tenant) = self.tenants.get_mut(&tenant_id) {
                    tenant.first_lane = after;
                }
            }
        }
        if let Some(next) = after.and_then(|after| self.lanes.get_mut(&after)) {
            next.before = before;
        }
        Some(tenant_id)
    }

    /// Forgets a tenant, which has no lane any more.
    pub(in crate::dispatch) fn remove_tenant(&mut self, id: ApplicationId) {
        self.count_steps(1);
        self.tenants.remove(&id);
    }

    /// The endpoints of a tenant that have a lane.
    pub(in crate::dispatch) fn endpoints_of(
        &self,
        tenant: ApplicationId,
    ) -> impl Iterator<Item = EndpointId> {
        let first = self.tenants.get(&tenant).and_then(|tenant| tenant.first_lane);
        std::iter::successors(first, |id| {
            self.count_steps(1);
            self.lanes.get(id).and_then(|link| link.after)
        })
    }

    /// All endpoints that have a lane.
    pub(in crate::dispatch) fn endpoints(&self) -> Vec<EndpointId> {
        self.count_steps(self.lanes.len());
        self.lanes.keys().copied().collect()
    }

    pub(in crate::dispatch) fn lanes_mut(&mut self) -> impl Iterator<Item = &mut Lane<T>> {
        self.count_steps(self.lanes.len());
        self.lanes.values_mut().map(|link| &mut link.lane)
    }

    pub(in crate::dispatch) fn tenants(&self) -> Vec<ApplicationId> {
        self.count_steps(self.tenants.len());
        self.tenants.keys().copied().collect()
    }

    /// How many lanes there are.
    pub(in crate::dispatch) fn lane_count(&self) -> usize {
        self.lanes.len()
    }
}
