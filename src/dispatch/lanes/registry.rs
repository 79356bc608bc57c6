//! All lanes and tenants, and which lanes belong to which tenant. Every operation here takes the same time however many
//! there are: the lanes of a tenant are a linked list, so that none has to be searched for.

#[cfg(test)]
use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::domain::endpoint::Endpoint;
use crate::domain::id::{ApplicationId, EndpointId};

use super::borne::BorneBefore;
use super::lane::Lane;
use super::queued::Queued;
use super::rate_limiter::RateLimiter;

/// A tenant that has a lane, or whose rate limit still counts an earlier request.
#[derive(Default)]
pub(super) struct Tenant {
    /// Its quick lanes that can send, in turn.
    pub(super) quick_lanes: VecDeque<EndpointId>,
    /// Its slow ones.
    pub(super) slow_lanes: VecDeque<EndpointId>,
    /// The last turn was that of a quick lane.
    pub(super) slow_is_next: bool,
    pub(super) in_flight: usize,
    /// Those of its slow lanes among them.
    pub(super) slow_in_flight: usize,
    pub(super) rate_limiter: RateLimiter,
    /// It is in the queue of tenants that are ready.
    pub(super) in_ready_queue: bool,
    /// It is in the queue of what waits for its rate limit.
    pub(super) in_rate_queue: bool,
    /// It is in the queue of tenants that wait until slow lanes have fewer requests under way.
    pub(super) in_room_queue: bool,
    /// It is in the queue of what expires later.
    pub(super) in_expiry_queue: bool,
    /// One of its lanes; the others follow it.
    first_lane: Option<EndpointId>,
}

impl Tenant {
    /// Whether it has a lane that can send, slow ones only if there is room for these.
    pub(super) fn has_ready_lane(&self, slow_too: bool) -> bool {
        !self.quick_lanes.is_empty() || (slow_too && !self.slow_lanes.is_empty())
    }

    /// No lane, nothing in flight, and in no queue.
    pub(super) fn is_idle(&self) -> bool {
        self.first_lane.is_none()
            && self.in_flight == 0
            && !self.in_ready_queue
            && !self.in_rate_queue
            && !self.in_room_queue
            && !self.in_expiry_queue
    }
}

/// A lane between its neighbours of the same tenant.
struct Link<T> {
    lane: Lane<T>,
    before: Option<EndpointId>,
    after: Option<EndpointId>,
}

/// All lanes and their tenants.
pub(super) struct LaneRegistry<T> {
    lanes: HashMap<EndpointId, Link<T>>,
    tenants: HashMap<ApplicationId, Tenant>,
    borne_before: BorneBefore,
    /// How many lanes and tenants were looked at, for tests of the cost.
    #[cfg(test)]
    steps: Cell<usize>,
}

impl<T: Queued> LaneRegistry<T> {
    pub(super) fn new() -> Self {
        Self {
            lanes: HashMap::new(),
            tenants: HashMap::new(),
            borne_before: BorneBefore::default(),
            #[cfg(test)]
            steps: Cell::default(),
        }
    }

    /// Each look at a lane or a tenant is one step.
    fn count_steps(&self, _count: usize) {
        #[cfg(test)]
        self.steps.set(self.steps.get() + _count);
    }

    /// How many steps were taken so far.
    #[cfg(test)]
    pub(super) fn steps(&self) -> usize {
        self.steps.get()
    }

    /// What each tenant has under way.
    pub(super) fn in_flight_by_tenant(&self) -> Vec<(ApplicationId, usize)> {
        let busy = self.tenants.iter().filter(|(_, tenant)| tenant.in_flight > 0);
        busy.map(|(id, tenant)| (*id, tenant.in_flight)).collect()
    }

    pub(super) fn lane(&self, id: EndpointId) -> Option<&Lane<T>> {
        self.count_steps(1);
        self.lanes.get(&id).map(|link| &link.lane)
    }

    pub(super) fn lane_mut(&mut self, id: EndpointId) -> Option<&mut Lane<T>> {
        self.count_steps(1);
        self.lanes.get_mut(&id).map(|link| &mut link.lane)
    }

    pub(super) fn tenant_mut(&mut self, id: ApplicationId) -> Option<&mut Tenant> {
        self.count_steps(1);
        self.tenants.get_mut(&id)
    }

    /// A lane and the tenant that has it.
    pub(super) fn lane_and_tenant(&mut self, id: EndpointId) -> Option<(&mut Lane<T>, &mut Tenant)> {
        self.count_steps(1);
        let lane = &mut self.lanes.get_mut(&id)?.lane;
        let tenant = self.tenants.get_mut(&lane.endpoint.application_id)?;
        Some((lane, tenant))
    }

    /// The endpoint's lane, which is made if there is none; one that was just `opened` opens gently.
    pub(super) fn lane_or_new(&mut self, endpoint: &Arc<Endpoint>, opened: bool) -> &mut Lane<T> {
        self.count_steps(1);
        let after = if self.lanes.contains_key(&endpoint.id) { None } else { self.put_first(endpoint) };
        let borne_before = &mut self.borne_before;
        let new = || {
            let mut lane = Lane::new(endpoint.clone(), borne_before.take(endpoint.id));
            if opened {
                lane.open_gently();
            }
            Link { lane, before: None, after }
        };
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

    /// Forgets a lane. Returns its tenant.
    pub(super) fn remove_lane(&mut self, id: EndpointId) -> Option<ApplicationId> {
        self.count_steps(1);
        let Link { lane, before, after } = self.lanes.remove(&id)?;
        if !lane.deleted {
            self.borne_before.remember(id, lane.borne);
        }
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
    pub(super) fn remove_tenant(&mut self, id: ApplicationId) {
        self.count_steps(1);
        self.tenants.remove(&id);
    }

    /// The endpoints of a tenant that have a lane.
    pub(super) fn endpoints_of(&self, tenant: ApplicationId) -> impl Iterator<Item = EndpointId> {
        let first = self.tenants.get(&tenant).and_then(|tenant| tenant.first_lane);
        std::iter::successors(first, |id| {
            self.count_steps(1);
            self.lanes.get(id).and_then(|link| link.after)
        })
    }

    /// All endpoints that have a lane.
    pub(super) fn endpoints(&self) -> Vec<EndpointId> {
        self.count_steps(self.lanes.len());
        self.lanes.keys().copied().collect()
    }

    pub(super) fn lanes(&self) -> impl Iterator<Item = &Lane<T>> {
        self.count_steps(self.lanes.len());
        self.lanes.values().map(|link| &link.lane)
    }

    pub(super) fn lanes_mut(&mut self) -> impl Iterator<Item = &mut Lane<T>> {
        self.count_steps(self.lanes.len());
        self.lanes.values_mut().map(|link| &mut link.lane)
    }

    pub(super) fn tenants(&self) -> Vec<ApplicationId> {
        self.count_steps(self.tenants.len());
        self.tenants.keys().copied().collect()
    }

    /// How many lanes there are.
    pub(super) fn lane_count(&self) -> usize {
        self.lanes.len()
    }
}
