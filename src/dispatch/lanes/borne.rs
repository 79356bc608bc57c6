//! What a receiver bore: how many requests at once, and how many a second, it took in the last stretch of successes, and
//! whether it was quick. A lane that opens again goes quickly up to that, and slowly beyond.
//!
//! It outlives its lane, which is forgotten whenever it has no work, up to a number of endpoints. A node that starts knows
//! nothing.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::domain::id::EndpointId;

use super::speed::Speed;

/// A stretch is so long; less says little of a rate.
const STRETCH: Duration = Duration::from_secs(5);
/// Endpoints without a lane in each of the two generations that are remembered.
const MAX_REMEMBERED: usize = 32_768;

/// How much a receiver took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    pub(super) at_once: u32,
    pub(super) per_second: f64,
}

/// The load that one receiver bore.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Borne {
    /// When the stretch that is being measured began.
    began: Option<Instant>,
    successes: u32,
    at_once: u32,
    /// Of the stretch before.
    last: Option<Load>,
    /// How long its requests take.
    pub(super) speed: Speed,
}

impl Borne {
    /// A request succeeded, while so many were under way with it.
    pub(super) fn record(&mut self, in_flight: usize, now: Instant) {
        if self.began.is_none_or(|began| now >= began + STRETCH) {
            self.last = self.began.map(|_| self.measured());
            (self.began, self.successes, self.at_once) = (Some(now), 0, 0);
        }
        self.successes = self.successes.saturating_add(1);
        self.at_once = self.at_once.max(u32::try_from(in_flight).unwrap_or(u32::MAX));
    }

    fn measured(&self) -> Load {
        Load { at_once: self.at_once, per_second: f64::from(self.successes) / STRETCH.as_secs_f64() }
    }

    /// What it bore, unless it has succeeded for less than a stretch.
    pub(super) fn load(&self) -> Option<Load> {
        let (last, current) = (self.last?, self.measured());
        Some(Load {
            at_once: last.at_once.max(current.at_once),
            per_second: last.per_second.max(current.per_second),
        })
    }

    /// Whether requests have succeeded lately.
    pub(super) fn is_recent(&self, now: Instant) -> bool {
        self.began.is_some_and(|began| now < began + STRETCH * 2)
    }
}

/// What the receivers of endpoints without a lane bore. When one generation is full, the one before is forgotten.
#[derive(Debug, Default)]
pub(super) struct BorneBefore {
    newer: HashMap<EndpointId, Borne>,
    older: HashMap<EndpointId, Borne>,
}

impl BorneBefore {
    /// A lane is forgotten.
    pub(super) fn remember(&mut self, endpoint: EndpointId, borne: Borne) {
        if borne == Borne::default() {
            return;
        }
        if self.newer.len() >= MAX_REMEMBERED {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(endpoint, borne);
    }

    /// For a new lane.
    pub(super) fn take(&mut self, endpoint: EndpointId) -> Borne {
        let newer = self.newer.remove(&endpoint);
        let older = self.older.remove(&endpoint);
        newer.or(older).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_after_a_stretch_and_is_that_of_the_busier_one() {
        let began = Instant::now();
        let mut borne = Borne::default();
        for tenth in 0..100 {
            assert_eq!(borne.load().is_some(), tenth > 50, "{tenth}");
            borne.record(if tenth == 20 { 7 } else { 2 }, began + Duration::from_millis(100) * tenth);
        }
        assert_eq!(borne.load(), Some(Load { at_once: 7, per_second: 10.0 }));
        // An hour later, there is one request.
        borne.record(1, began + Duration::from_secs(3_600));
        assert_eq!(borne.load(), Some(Load { at_once: 2, per_second: 10.0 }));
    }

    #[test]
    fn of_many_endpoints_the_last_ones_are_remembered() {
        let mut before = BorneBefore::default();
        let mut borne = Borne::default();
        borne.record(1, Instant::now());
        let ids: Vec<EndpointId> = (0..MAX_REMEMBERED * 3).map(|_| EndpointId::generate()).collect();
        ids.iter().for_each(|id| before.remember(*id, borne));
        assert!(before.newer.len() + before.older.len() <= MAX_REMEMBERED * 2);
        assert_eq!(before.take(ids[0]), Borne::default());
        assert_eq!(before.take(*ids.last().unwrap()), borne);
    }
}
