//! What operators are told of deliveries that died: one line in the log for each endpoint and interval, with a count.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::delivery::NextStep;
use crate::domain::delivery::dead_letter::DeathReason;
use crate::domain::id::{ApplicationId, EndpointId};

use super::{Outcome, Recorder};

/// So many endpoints are named in an interval; the others are counted together.
const MAX_NAMED: usize = 20;
/// So many are told apart.
const MAX_COUNTED: usize = 10_000;

/// Deliveries that died and were not told of yet.
#[derive(Default)]
pub(super) struct Deaths {
    untold: Mutex<Untold>,
}

#[derive(Default)]
struct Untold {
    by_endpoint: HashMap<EndpointId, OfEndpoint>,
    /// At endpoints that are not told apart.
    elsewhere: u64,
}

#[derive(Clone, Copy)]
struct OfEndpoint {
    application: ApplicationId,
    died: u64,
    last_reason: DeathReason,
    last_status: Option<u16>,
    /// Whether the endpoint was disabled by it.
    is_gone: bool,
}

impl Deaths {
    /// These were recorded.
    pub(super) fn note<G>(&self, group: &[Outcome<G>]) {
        let died = group.iter().filter_map(|outcome| match outcome.next {
            NextStep::Bury(reason) => Some((outcome, reason)),
            NextStep::Settle | NextStep::RetryAfter(_) => None,
        });
        let mut died = died.peekable();
        if died.peek().is_none() {
            return;
        }
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        for (outcome, reason) in died {
            untold.add(outcome, reason);
        }
    }

    /// Tells what was not told yet.
    pub(super) fn tell(&self) {
        let untold = std::mem::take(&mut *self.untold.lock().unwrap_or_else(PoisonError::into_inner));
        let mut endpoints: Vec<_> = untold.by_endpoint.into_iter().collect();
        endpoints.sort_unstable_by_key(|(_, of)| std::cmp::Reverse((of.is_gone, of.died)));
        let named = endpoints.len().min(MAX_NAMED);
        let (named, others) = endpoints.split_at(named);
        for (endpoint, of) in named {
            tracing::warn!(
                %endpoint, application = %of.application, deliveries = of.died, reason = of.last_reason.name(),
                status = of.last_status, "deliveries have become dead letters"
            );
            if of.is_gone {
                tracing::warn!(
                    %endpoint, application = %of.application, "an endpoint answered 410 and is disabled"
                );
            }
        }
        let others_died = others.iter().map(|(_, of)| of.died).sum::<u64>() + untold.elsewhere;
        if others_died > 0 {
            let deliveries = others_died;
            tracing::warn!(deliveries, "deliveries to further endpoints have become dead letters");
        }
    }
}

impl Untold {
    fn add<G>(&mut self, outcome: &Outcome<G>, reason: DeathReason) {
        let is_full = self.by_endpoint.len() >= MAX_COUNTED;
        if is_full && !self.by_endpoint.contains_key(&outcome.endpoint.id) {
            self.elsewhere += 1;
            return;
        }
        let of = self.by_endpoint.entry(outcome.endpoint.id).or_insert(OfEndpoint {
            application: outcome.endpoint.application_id,
            died: 0,
            last_reason: reason,
            last_status: None,
            is_gone: false,
        });
        of.died += 1;
        of.last_reason = reason;
        of.last_status = outcome.attempt.http_status;
        of.is_gone |= reason == DeathReason::Gone;
    }
}

impl<G: Send + Sync + 'static> Recorder<G> {
    /// Tells of deliveries that died, once in an interval, for ever.
    pub async fn tell_deaths(&self, interval: Duration) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.deaths.tell();
        }
    }
}
