//! The requests that are under way: how many of a lane, of its tenant, and of slow lanes (`speed.rs`).

use std::time::{Duration, Instant};

use super::lane::Lane;
use super::queued::Queued;
use super::registry::Tenant;
use super::speed::{QUICK_WITHIN, Speed};

/// Counts the requests that are under way: of a lane, of its tenant, and of slow lanes. All requests of a lane that is slow
/// count as those of a slow lane, also those that were sent before.
pub(super) struct UnderWay<'a, T> {
    pub(super) lane: &'a mut Lane<T>,
    pub(super) tenant: &'a mut Tenant,
    /// Of all slow lanes.
    pub(super) slow_in_flight: &'a mut usize,
}

impl<T: Queued> UnderWay<'_, T> {
    /// A request is sent.
    pub(super) fn begin(&mut self, now: Instant) {
        self.lane.in_flight += 1;
        self.lane.none_ended_since.get_or_insert(now);
        self.tenant.in_flight += 1;
        if self.lane.speed() == Speed::Slow {
            self.tenant.slow_in_flight += 1;
            *self.slow_in_flight += 1;
        }
    }

    /// A request has ended, after so long if it was sent at all.
    pub(super) fn end(&mut self, took: Option<Duration>, now: Instant) {
        self.lane.in_flight = self.lane.in_flight.saturating_sub(1);
        self.lane.none_ended_since = (self.lane.in_flight > 0).then_some(now);
        self.tenant.in_flight = self.tenant.in_flight.saturating_sub(1);
        if self.lane.speed() == Speed::Slow {
            self.forget_slow(1);
        }
        if let Some(took) = took {
            self.set_speed(Speed::of(took));
        }
    }

    /// A lane none of whose requests has ended for long is slow from now on.
    pub(super) fn look_at_the_time(&mut self, now: Instant) {
        if self.lane.none_ended_since.is_some_and(|since| now > since + QUICK_WITHIN) {
            self.set_speed(Speed::Slow);
        }
    }

    fn set_speed(&mut self, speed: Speed) {
        let in_flight = self.lane.in_flight;
        match (self.lane.speed(), speed) {
            (Speed::Quick, Speed::Slow) => {
                self.tenant.slow_in_flight += in_flight;
                *self.slow_in_flight += in_flight;
            }
            (Speed::Slow, Speed::Quick) => self.forget_slow(in_flight),
            _ => {}
        }
        self.lane.borne.speed = speed;
    }

    fn forget_slow(&mut self, count: usize) {
        self.tenant.slow_in_flight = self.tenant.slow_in_flight.saturating_sub(count);
        *self.slow_in_flight = self.slow_in_flight.saturating_sub(count);
    }
}
