//! How often a TLS connection to one endpoint, and to all of one application, is begun. A handshake costs some hundred times
//! the processor time of a request, and a receiver that ends every connection could have as many at the same moment as it may
//! have requests. They are spread, so that the deliveries of others come in between.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::domain::endpoint::Endpoint;
use crate::domain::id::{ApplicationId, EndpointId};

/// How close to one another handshakes may begin.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// The time between two, once there has been a burst.
    interval: Duration,
    /// So many may begin at the same moment.
    burst: u32,
}

const OF_ENDPOINT: Pace = Pace { interval: Duration::from_millis(2), burst: 8 };
/// An application may have many endpoints; together they take no more than a third of a processor or so.
const OF_APPLICATION: Pace = Pace { interval: Duration::from_millis(1), burst: 64 };
/// Those that have had their burst back are forgotten when so many are known, and then each time when they have
/// doubled.
const MIN_KNOWN_TO_SWEEP: usize = 256;

/// When the next handshake may begin.
pub(super) struct HandshakePace {
    endpoints: Mutex<Turns<EndpointId>>,
    applications: Mutex<Turns<ApplicationId>>,
}

impl Default for HandshakePace {
    fn default() -> Self {
        Self {
            endpoints: Mutex::new(Turns::new(OF_ENDPOINT)),
            applications: Mutex::new(Turns::new(OF_APPLICATION)),
        }
    }
}

impl HandshakePace {
    /// Returns when a handshake with this endpoint may begin.
    pub(super) async fn wait(&self, endpoint: &Endpoint) {
        let now = Instant::now();
        let of_endpoint = turn_in(&self.endpoints, endpoint.id, now);
        let turn = of_endpoint.max(turn_in(&self.applications, endpoint.application_id, now));
        if turn > now {
            sleep_until(turn).await;
        }
    }
}

fn turn_in<K: Hash + Eq>(turns: &Mutex<Turns<K>>, key: K, now: Instant) -> Instant {
    turns.lock().unwrap_or_else(PoisonError::into_inner).next(key, now)
}

/// The turns of many at one pace.
struct Turns<K> {
    pace: Pace,
    /// The turn that was given last.
    last: HashMap<K, Instant>,
    sweep_at: usize,
}

impl<K: Hash + Eq> Turns<K> {
    fn new(pace: Pace) -> Self {
        Self { pace, last: HashMap::new(), sweep_at: 0 }
    }

    fn next(&mut self, key: K, now: Instant) -> Instant {
        // One that has not had a handshake for long has a whole burst, and no more.
        let earliest = now.checked_sub(self.pace.interval * self.pace.burst).unwrap_or(now);
        if self.last.len() >= self.sweep_at.max(MIN_KNOWN_TO_SWEEP) {
            self.last.retain(|_, last| *last > earliest);
            self.sweep_at = self.last.len() * 2;
        }
        let last = self.last.entry(key).or_insert(earliest);
        *last = (*last).max(earliest) + self.pace.interval;
        *last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns() -> Turns<EndpointId> {
        Turns::new(OF_ENDPOINT)
    }

    #[test]
    fn a_burst_begins_at_once_and_the_rest_is_spread() {
        let (mut pace, endpoint, now) = (turns(), EndpointId::generate(), Instant::now());
        let turns: Vec<Instant> = (0..12).map(|_| pace.next(endpoint, now)).collect();
        assert!(turns[..8].iter().all(|turn| *turn <= now));
        let waits: Vec<u128> = turns[8..].iter().map(|turn| (*turn - now).as_millis()).collect();
        assert_eq!(waits, [2, 4, 6, 8]);
    }

    #[test]
    fn an_endpoint_waits_for_itself_and_for_its_application() {
        let (pace, now) = (HandshakePace::default(), Instant::now());
        let of_endpoint = |endpoint| turn_in(&pace.endpoints, endpoint, now);
        let busy = EndpointId::generate();
        for _ in 0..100 {
            of_endpoint(busy);
        }
        assert!(of_endpoint(busy) > now && of_endpoint(EndpointId::generate()) <= now);
        let of_application = |application| turn_in(&pace.applications, application, now);
        let busy = ApplicationId::generate();
        assert!((0..64).all(|_| of_application(busy) <= now));
        assert!(of_application(busy) > now && of_application(ApplicationId::generate()) <= now);
    }

    #[test]
    fn a_burst_comes_back_and_does_not_add_up() {
        let (mut pace, endpoint, now) = (turns(), EndpointId::generate(), Instant::now());
        for _ in 0..8 {
            pace.next(endpoint, now);
        }
        let later = now + Duration::from_secs(3600);
        assert!((0..8).all(|_| pace.next(endpoint, later) <= later));
        assert!(pace.next(endpoint, later) > later);
    }

    #[test]
    fn endpoints_that_have_had_their_burst_back_are_forgotten() {
        let (mut pace, now) = (turns(), Instant::now());
        for number in 0..10_000 {
            pace.next(EndpointId::generate(), now + OF_ENDPOINT.interval * number);
        }
        assert!(pace.last.len() <= MIN_KNOWN_TO_SWEEP);
    }
}
