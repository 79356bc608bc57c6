//! Slow guessing: after some failures from one address within a minute, it has to wait. Each node counts for itself, and
//! only addresses that failed lately.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::keyed_limit::{Admitted, KeyedLimit};

use super::error::ApiError;

/// So many failures are allowed.
const MAX_FAILURES: u32 = 10;
/// Within this time.
const WINDOW: Duration = Duration::from_secs(60);
/// So many addresses are counted.
const MAX_ADDRESSES: u64 = 10_000;

/// Failures by address. Of an IPv6 address its network counts: one customer has all of it.
pub struct SignInFailures(KeyedLimit<Option<IpAddr>>);

/// An attempt under way. It counts as a failure until it is told otherwise, so that many at once are not allowed more.
pub(in crate::api) struct Attempt(Admitted);

impl Default for SignInFailures {
    fn default() -> Self {
        Self(KeyedLimit::new(MAX_FAILURES, WINDOW, MAX_ADDRESSES))
    }
}

impl SignInFailures {
    /// Begins an attempt.
    ///
    /// # Errors
    /// [`ApiError::TooManyFailures`] after too many failures.
    pub(in crate::api) fn attempt(&self, address: Option<IpAddr>) -> Result<Attempt, ApiError> {
        self.0.begin(address.map(network_of)).map(Attempt).map_err(ApiError::TooManyFailures)
    }
}

impl Attempt {
    /// It was no failure.
    pub(in crate::api) fn succeeded(self) {
        self.0.give_back();
    }
}

fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn an_address_that_failed_too_often_waits_and_others_do_not() {
        let failures = SignInFailures::default();
        for _ in 0..MAX_FAILURES {
            assert!(failures.attempt(address("192.0.2.7")).is_ok());
        }
        let refused = failures.attempt(address("192.0.2.7")).err();
        assert!(matches!(refused, Some(ApiError::TooManyFailures(1..=61))), "{refused:?}");
        assert!(failures.attempt(address("192.0.2.8")).is_ok());
        assert!(failures.attempt(None).is_ok());
    }

    #[test]
    fn success_counts_for_nothing() {
        let failures = SignInFailures::default();
        for _ in 0..MAX_FAILURES * 2 {
            failures.attempt(address("192.0.2.7")).unwrap_or_else(|_| panic!()).succeeded();
        }
        for _ in 1..MAX_FAILURES {
            assert!(failures.attempt(address("192.0.2.7")).is_ok());
        }
        failures.attempt(address("192.0.2.7")).unwrap_or_else(|_| panic!()).succeeded();
        assert!(failures.attempt(address("192.0.2.7")).is_ok());
        assert!(failures.attempt(address("192.0.2.7")).is_err());
    }

    #[test]
    fn many_at_once_are_not_allowed_more() {
        let failures = SignInFailures::default();
        let under_way: Vec<_> = (0..MAX_FAILURES * 2).map(|_| failures.attempt(None)).collect();
        assert_eq!(under_way.iter().filter(|attempt| attempt.is_ok()).count(), 10);
    }

    #[test]
    fn a_network_of_ipv6_is_one_customers() {
        let failures = SignInFailures::default();
        for host in 0..MAX_FAILURES {
            assert!(failures.attempt(address(&format!("2001:db8:1:2::{host}"))).is_ok());
        }
        assert!(failures.attempt(address("2001:db8:1:2:ffff::1")).is_err());
        assert!(failures.attempt(address("2001:db8:1:3::1")).is_ok());
    }
}
