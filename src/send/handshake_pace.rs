//! How often a TLS connection to one endpoint is begun. A handshake costs some hundred times the processor time of a
//! request, and a receiver that ends every connection could have as many at the same moment as it may have requests.
//! They are spread, so that the deliveries of others come in between.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::domain::id::EndpointId;

/// The time between two handshakes with one endpoint, once it has had its burst.
const HANDSHAKE_INTERVAL: Duration = Duration::from_millis(2);
/// So many may begin at the same moment.
const HANDSHAKE_BURST: u32 = 8;
/// Endpoints that have had their burst back are forgotten when so many are known, and then each time when they have
/// doubled.
const MIN_KNOWN_TO_SWEEP: usize = 256;

/// When the next handshake with each endpoint may begin.
#[derive(Default)]
pub(super) struct HandshakePace(Mutex<Turns>);

#[derive(Default)]
struct Turns {
    /// The turn that was given last.
    last: HashMap<EndpointId, Instant>,
    sweep_at: usize,
}

impl HandshakePace {
    /// Returns when a handshake with this endpoint may begin.
    pub(super) async fn wait(&self, endpoint: EndpointId) {
        let now = Instant::now();
        let turn = self.next_turn(endpoint, now);
        if turn > now {
            sleep_until(turn).await;
        }
    }

    fn next_turn(&self, endpoint: EndpointId, now: Instant) -> Instant {
        // An endpoint that has not had a handshake for long has a whole burst, and no more.
        let earliest = now.checked_sub(HANDSHAKE_INTERVAL * HANDSHAKE_BURST).unwrap_or(now);
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.last.len() >= turns.sweep_at.max(MIN_KNOWN_TO_SWEEP) {
            turns.last.retain(|_, last| *last > earliest);
            turns.sweep_at = turns.last.len() * 2;
        }
        let last = turns.last.entry(endpoint).or_insert(earliest);
        *last = (*last).max(earliest) + HANDSHAKE_INTERVAL;
        *last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_begins_at_once_and_the_rest_is_spread() {
        let (pace, endpoint, now) = (HandshakePace::default(), EndpointId::generate(), Instant::now());
        let turns: Vec<Instant> = (0..12).map(|_| pace.next_turn(endpoint, now)).collect();
        assert!(turns[..8].iter().all(|turn| *turn <= now));
        let waits: Vec<u128> = turns[8..].iter().map(|turn| (*turn - now).as_millis()).collect();
        assert_eq!(waits, [2, 4, 6, 8]);
    }

    #[test]
    fn an_endpoint_waits_for_itself_alone() {
        let (pace, now) = (HandshakePace::default(), Instant::now());
        let busy = EndpointId::generate();
        for _ in 0..100 {
            pace.next_turn(busy, now);
        }
        assert!(pace.next_turn(EndpointId::generate(), now) <= now);
    }

    #[test]
    fn a_burst_comes_back_and_does_not_add_up() {
        let (pace, endpoint, now) = (HandshakePace::default(), EndpointId::generate(), Instant::now());
        for _ in 0..8 {
            pace.next_turn(endpoint, now);
        }
        let later = now + Duration::from_secs(3600);
        assert!((0..8).all(|_| pace.next_turn(endpoint, later) <= later));
        assert!(pace.next_turn(endpoint, later) > later);
    }

    #[test]
    fn endpoints_that_have_had_their_burst_back_are_forgotten() {
        let (pace, now) = (HandshakePace::default(), Instant::now());
        for number in 0..10_000 {
            pace.next_turn(EndpointId::generate(), now + HANDSHAKE_INTERVAL * number);
        }
        assert!(pace.0.lock().unwrap().last.len() <= MIN_KNOWN_TO_SWEEP);
    }
}
