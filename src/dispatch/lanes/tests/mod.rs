//! The lanes by themselves, without a database or a network.

mod cost;
mod fairness;
mod model;
mod pace;
mod speed;
mod window;

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderMap;

use crate::domain::endpoint::Endpoint;
use crate::domain::endpoint::filter::Filter;
use crate::domain::id::{ApplicationId, EndpointId};
use crate::domain::policy::EffectivePolicy;

use super::speed::Speed;
use super::{Lanes, LoadSignal, Queued};

pub(in crate::dispatch) fn endpoint(tenant: ApplicationId, rate_limit: Option<u32>) -> Endpoint {
    Endpoint {
        id: EndpointId::generate(),
        application_id: tenant,
        config_version: 1,
        url: "https://receiver.example/".parse().unwrap(),
        filter: Filter::default(),
        keys: Vec::new(),
        headers: HeaderMap::new(),
        policy: EffectivePolicy { max_in_flight: 2, rate_limit, ..EffectivePolicy::default() },
        closed: false,
        just_opened: false,
    }
}

/// The same with so many requests at once.
fn wide(base: Endpoint, max_in_flight: u32) -> Endpoint {
    let policy = EffectivePolicy { max_in_flight, ..base.policy.clone() };
    Endpoint { policy, ..base }
}

fn with(base: &Arc<Endpoint>, config_version: i64, closed: bool) -> Arc<Endpoint> {
    Arc::new(Endpoint {
        id: base.id,
        application_id: base.application_id,
        config_version,
        url: base.url.clone(),
        filter: base.filter.clone(),
        keys: Vec::new(),
        headers: HeaderMap::new(),
        policy: base.policy.clone(),
        closed,
        just_opened: false,
    })
}

macro_rules! queued {
    ($($item:ty),*) => { $(impl Queued for $item {})* };
}
queued!((usize, u64), (usize, usize), u64, i32, usize, &str);

impl<T: Queued> Lanes<T> {
    /// A request has ended as soon as that of a quick lane.
    pub(in crate::dispatch) fn finished_soon(
        &mut self,
        endpoint: EndpointId,
        signal: LoadSignal,
        now: Instant,
    ) -> bool {
        self.finished(endpoint, signal, Some(Duration::from_millis(10)), now)
    }

    /// Requests under way of slow lanes, as they were counted and as they are.
    fn slow_in_flight(&self) -> (usize, usize) {
        let slow = self.registry.lanes().filter(|lane| lane.speed() == Speed::Slow);
        (self.slow_in_flight, slow.map(|lane| lane.in_flight).sum())
    }

    /// How many steps were taken so far: looks at lanes and tenants.
    fn steps(&self) -> usize {
        self.registry.steps()
    }

    /// How many lanes, tenants and entries of queues there are.
    fn sizes(&self) -> [usize; 7] {
        [
            self.registry.lane_count(),
            self.registry.tenants().len(),
            self.ready_tenants.len(),
            self.waiting_for_room.len(),
            self.rate_limited.len(),
            self.expiring.len(),
            self.by_age.len(),
        ]
    }
}
