//! What changes the lanes from outside: newer snapshots of endpoints, deletions, a pause of everything, and age. What a
//! lane may not keep is returned, to be handed back to the queue.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Instant;

use crate::domain::endpoint::Endpoint;
use crate::domain::id::{ApplicationId, EndpointId};

use super::Lanes;
use super::lane::Lane;
use super::queued::Queued;

impl<T: Queued> Lanes<T> {
    /// Takes a newer snapshot of an endpoint over. Returns what a lane that closes had queued.
    pub(in crate::dispatch) fn update(&mut self, endpoint: &Arc<Endpoint>, now: Instant) -> Vec<T> {
        let Some(lane) = self.registry.lane_mut(endpoint.id) else { return Vec::new() };
        lane.suspended = false;
        lane.adopt(endpoint);
        self.paces.attend_anew(lane);
        let drained = if lane.endpoint.closed { lane.drain() } else { Vec::new() };
        self.queued = self.queued.saturating_sub(drained.len());
        self.make_ready(endpoint.id, now);
        self.retire(endpoint.id);
        drained
    }

    /// Sends nothing to this tenant's endpoints until each is updated or deleted. False when it has no lane.
    pub(in crate::dispatch) fn suspend(&mut self, tenant: ApplicationId) -> bool {
        let endpoints = self.endpoints_of(tenant);
        for id in &endpoints {
            if let Some(lane) = self.registry.lane_mut(*id) {
                lane.suspended = true;
            }
        }
        !endpoints.is_empty()
    }

    /// Sends nothing at all, or goes on.
    pub(in crate::dispatch) fn suspend_all(&mut self, suspended: bool) {
        self.suspended = suspended;
    }

    /// The newest snapshot of an endpoint that has a lane.
    pub(in crate::dispatch) fn snapshot(&self, endpoint: EndpointId) -> Option<Arc<Endpoint>> {
        self.registry.lane(endpoint).map(|lane| lane.endpoint.clone())
    }

    /// The endpoints of a tenant that have a lane.
    pub(in crate::dispatch) fn endpoints_of(&self, tenant: ApplicationId) -> Vec<EndpointId> {
        self.registry.endpoints_of(tenant).collect()
    }

    /// The tenants that have a lane, or had one a moment ago.
    pub(in crate::dispatch) fn tenants(&self) -> Vec<ApplicationId> {
        self.registry.tenants()
    }

    /// An endpoint was deleted. Returns what its lane had queued.
    pub(in crate::dispatch) fn delete(&mut self, endpoint: EndpointId) -> Vec<T> {
        if let Some(lane) = self.registry.lane_mut(endpoint) {
            lane.suspended = false;
            lane.deleted = true;
        }
        self.drain(endpoint)
    }

    pub(super) fn drain(&mut self, endpoint: EndpointId) -> Vec<T> {
        let drained = self.registry.lane_mut(endpoint).map(Lane::drain).unwrap_or_default();
        self.queued = self.queued.saturating_sub(drained.len());
        self.retire(endpoint);
        drained
    }

    /// Takes out of every lane what came before `moment`. Lanes whose oldest came later are not looked at.
    pub(in crate::dispatch) fn drain_before(&mut self, moment: Instant) -> Vec<T> {
        let mut all = Vec::new();
        while let Some(Reverse((since, id))) = self.by_age.peek().copied() {
            if since >= moment {
                break;
            }
            self.by_age.pop();
            let lane = self.registry.lane_mut(id).filter(|lane| lane.oldest_queued_at == Some(since));
            let Some(lane) = lane else { continue };
            let drained = lane.drain_before(moment);
            lane.oldest_queued_at = lane.oldest();
            self.by_age.extend(lane.oldest_queued_at.map(|oldest| Reverse((oldest, id))));
            self.queued = self.queued.saturating_sub(drained.len());
            all.extend(drained);
            self.retire(id);
        }
        all
    }

    /// Sends nothing and takes nothing on from here. Returns what was queued; what is in flight finishes.
    pub(in crate::dispatch) fn pause(&mut self) -> Vec<T> {
        self.paused = true;
        self.registry.endpoints().into_iter().flat_map(|id| self.drain(id)).collect()
    }

    /// Goes on; the lanes that there are open gently.
    pub(in crate::dispatch) fn resume(&mut self) {
        self.paused = false;
        self.registry.lanes_mut().for_each(Lane::open_gently);
    }

    /// Whether new lanes open gently, because everything was paused until a moment ago.
    pub(in crate::dispatch) fn set_just_resumed(&mut self, just_resumed: bool) {
        self.just_resumed = just_resumed;
    }
}
