//! Lanes: one for each endpoint, with a short queue, a window of requests at once, and a rate limit. A pure state machine:
//! it is told what arrives and what finished, and says what is sent next.
//!
//! Turns go round by tenant, then by the tenant's endpoints, one delivery a turn, so that a busy tenant or a slow endpoint
//! takes nothing from others, and requests that take long fill only half of the room (`speed.rs`). A lane that cannot send
//! is in no queue of ready lanes, and so costs nothing. Within a lane
//! first attempts go before what was claimed, but every eighth turn takes what was claimed, and more while much of that is
//! queued, so that neither starves.
//!
//! A lane that has a limit for all nodes together, or whose receiver says that it is asked too often, has a pace (`pace.rs`):
//! one node alone sends to it (`home.rs`), no sooner and no faster than its receiver wants (`throttle.rs`,
//! `learned_rate.rs`).
//!
//! A delivery is admitted (`admission.rs`), gets its turn (`turns.rs`), and is noted as finished there; a change of its
//! endpoint may take it out again (`changes.rs`); a lane without work is forgotten (`expiry.rs`).

mod admission;
mod backpressure;
mod borne;
mod changes;
mod expiry;
mod home;
mod lane;
mod learned_rate;
mod pace;
mod queued;
mod rate_limiter;
mod registry;
mod speed;
#[cfg(test)]
pub(super) mod tests;
mod throttle;
mod turns;
mod under_way;
mod window;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;

use crate::domain::endpoint::Endpoint;
use crate::domain::id::{ApplicationId, EndpointId};

use lane::Lane;
use pace::Paces;
use registry::LaneRegistry;

pub(super) use admission::{Admission, Claimable};
pub(super) use home::Home;
pub(super) use queued::Queued;
pub(super) use window::LoadSignal;

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

/// Lanes by what keeps them from sending, if anything does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LaneCounts {
    /// Nothing.
    pub open: usize,
    /// The endpoint is closed, or its new snapshot is not here yet.
    pub closed: usize,
    /// A rate limit.
    pub limited: usize,
}

impl LaneLimits {
    fn claimed_per_lane(self) -> usize {
        (self.queued_per_lane / 2).max(1)
    }

    /// Requests at once of all slow lanes.
    fn slow_in_flight(self) -> usize {
        (self.in_flight / 2).max(1)
    }

    /// Requests at once of one tenant's slow lanes.
    fn slow_in_flight_per_tenant(self) -> usize {
        (self.in_flight_per_tenant / 2).max(1)
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Clone, Copy)]
pub(super) enum LaneOrTenant {
    Lane(EndpointId),
    Tenant(ApplicationId),
}

impl LaneOrTenant {
    /// The id, whichever it is of.
    pub(super) fn uuid(self) -> Uuid {
        match self {
            Self::Lane(id) => id.uuid(),
            Self::Tenant(id) => id.uuid(),
        }
    }
}

/// What waits for its time; the soonest first.
type Timeline<K> = BinaryHeap<Reverse<(Instant, K)>>;

/// All lanes.
///
/// A lane or a tenant that is in a queue is kept until it leaves the queue, so that no queue has to be searched.
pub(super) struct Lanes<T> {
    limits: LaneLimits,
    registry: LaneRegistry<T>,
    /// Tenants that can send, in turn.
    ready_tenants: VecDeque<ApplicationId>,
    /// Tenants that can send once all slow lanes together have fewer requests under way, in turn.
    waiting_for_room: VecDeque<ApplicationId>,
    /// What can send once its rate limit allows it.
    rate_limited: Timeline<LaneOrTenant>,
    /// What has no work, and is forgotten at this time.
    expiring: Timeline<LaneOrTenant>,
    /// Lanes by the time since when they have something queued. Entries of lanes that are gone stay in, up to a bound.
    by_age: Timeline<EndpointId>,
    paces: Paces,
    in_flight: usize,
    /// Those of slow lanes among them.
    slow_in_flight: usize,
    queued: usize,
    /// Nothing is sent, whatever its lane.
    paused: bool,
    /// Nothing is sent until it is known whether everything is paused.
    suspended: bool,
    /// Everything was resumed a moment ago, so that every new lane opens gently.
    just_resumed: bool,
}

impl<T: Queued> Lanes<T> {
    /// No lanes yet.
    pub(super) fn new(limits: LaneLimits) -> Self {
        Self {
            limits,
            registry: LaneRegistry::new(),
            ready_tenants: VecDeque::new(),
            waiting_for_room: VecDeque::new(),
            rate_limited: BinaryHeap::new(),
            expiring: BinaryHeap::new(),
            by_age: BinaryHeap::new(),
            paces: Paces::default(),
            in_flight: 0,
            slow_in_flight: 0,
            queued: 0,
            paused: false,
            suspended: false,
            just_resumed: false,
        }
    }

    fn lane(&mut self, endpoint: &Arc<Endpoint>) -> &mut Lane<T> {
        let lane = self.registry.lane_or_new(endpoint, self.just_resumed || endpoint.just_opened);
        lane.adopt(endpoint);
        self.paces.attend(lane);
        lane
    }

    /// Whether everything is paused.
    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    /// How many lanes there are of each kind.
    pub(super) fn counts(&self) -> LaneCounts {
        let mut counts = LaneCounts::default();
        for lane in self.registry.lanes() {
            if lane.endpoint.closed || lane.suspended || lane.deleted {
                counts.closed += 1;
            } else if lane.in_rate_queue {
                counts.limited += 1;
            } else {
                counts.open += 1;
            }
        }
        counts
    }

    /// Requests under way, by tenant.
    pub(super) fn in_flight_by_tenant(&self) -> Vec<(ApplicationId, usize)> {
        self.registry.in_flight_by_tenant()
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
