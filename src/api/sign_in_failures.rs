//! Slow guessing: after some failures within a minute, who guesses has to wait. Failures are counted by the address that they
//! come from, and by the beginning of what was tried. Each node counts for itself, and only what failed lately.
//!
//! The address of a proxy that nobody named in `trusted_proxies` is everybody's: by it nothing is counted, or a stranger could
//! hold up everybody who signs in through it.

use std::net::IpAddr;
use std::sync::Once;
use std::time::Duration;

use http::request::Parts;
use ipnet::IpNet;
use sha2::{Digest as _, Sha256};

use crate::keyed_limit::{Admitted, KeyedLimit};

use super::caller_address::{address_of, network_of, unnamed_proxy};
use super::error::ApiError;

/// So many failures are allowed.
const MAX_FAILURES: u32 = 10;
/// Within this time.
const WINDOW: Duration = Duration::from_secs(60);
/// So many addresses and credentials are counted.
const MAX_COUNTED: u64 = 20_000;
/// Of a credential that is no token, so much tells which one it is meant to be.
const PREFIX_CHARACTERS: usize = 16;

/// Failures, by where they come from and by what was tried.
pub struct SignInFailures {
    limit: KeyedLimit<Counted>,
    proxy_warning: Once,
}

/// What failures are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Counted {
    /// An address; of an IPv6 address its network, because one customer has all of it.
    Address(Option<IpAddr>),
    /// The beginning of what was tried, hashed.
    Credential([u8; 32]),
}

/// An attempt under way. It counts as a failure until it is told otherwise, so that many at once are not allowed more.
pub(in crate::api) struct Attempt(Vec<Admitted>);

impl Default for SignInFailures {
    fn default() -> Self {
        Self { limit: KeyedLimit::new(MAX_FAILURES, WINDOW, MAX_COUNTED), proxy_warning: Once::new() }
    }
}

impl SignInFailures {
    /// Begins an attempt to sign in with what was `tried`.
    ///
    /// # Errors
    /// [`ApiError::TooManyFailures`] after too many failures.
    pub(in crate::api) fn attempt(
        &self,
        request: &Parts,
        trusted_proxies: &[IpNet],
        tried: &str,
    ) -> Result<Attempt, ApiError> {
        let credential = Counted::Credential(Sha256::digest(beginning_of(tried)).into());
        if let Some(proxy) = unnamed_proxy(request, trusted_proxies) {
            self.proxy_warning.call_once(|| {
                tracing::warn!(
                    %proxy,
                    "requests from this address say in a header for whom it forwards them, and it is not in `trusted_proxies`: \
                     if it is your proxy, name it there, so that failures to sign in are counted by who makes them, and the \
                     audit log says where requests came from"
                );
            });
            return self.begin([credential]);
        }
        let address = address_of(request, trusted_proxies).map(network_of);
        self.begin([Counted::Address(address), credential])
    }

    /// Begins to read the body of somebody who signs in. It counts as an attempt of its address until it is there, so that
    /// one address cannot hold up many.
    ///
    /// # Errors
    /// [`ApiError::TooManyFailures`] after too many failures.
    pub(in crate::api) fn body(
        &self,
        request: &Parts,
        trusted_proxies: &[IpNet],
    ) -> Result<Attempt, ApiError> {
        match unnamed_proxy(request, trusted_proxies) {
            Some(_) => self.begin([]),
            None => self.begin([Counted::Address(address_of(request, trusted_proxies).map(network_of))]),
        }
    }

    fn begin(&self, counted: impl IntoIterator<Item = Counted>) -> Result<Attempt, ApiError> {
        let mut attempt = Attempt(Vec::new());
        for one in counted {
            match self.limit.begin(one) {
                Ok(admitted) => attempt.0.push(admitted),
                Err(wait) => {
                    attempt.succeeded();
                    return Err(ApiError::TooManyFailures(wait));
                }
            }
        }
        Ok(attempt)
    }
}

impl Attempt {
    /// It was no failure.
    pub(in crate::api) fn succeeded(self) {
        self.0.into_iter().for_each(Admitted::give_back);
    }
}

/// What tells which credential was meant: a token without its signature, and the beginning of any other.
fn beginning_of(tried: &str) -> &str {
    let tried = tried.trim();
    if let Some((claims, _)) = tried.rsplit_once('.') {
        return claims;
    }
    let end = tried.char_indices().nth(PREFIX_CHARACTERS).map_or(tried.len(), |(end, _)| end);
    tried.get(..end).unwrap_or(tried)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::extract::ConnectInfo;
    use http::Request;

    use super::*;

    /// A request from there, which is forwarded for somebody if that is given.
    fn request(address: &str, forwarded_for: Option<&str>) -> Parts {
        let mut request = Request::new(());
        let peer = SocketAddr::new(address.parse().unwrap(), 1234);
        request.extensions_mut().insert(ConnectInfo(peer));
        if let Some(client) = forwarded_for {
            request.headers_mut().insert("x-forwarded-for", client.parse().unwrap());
        }
        request.into_parts().0
    }

    fn from(failures: &SignInFailures, address: &str, tried: &str) -> Result<Attempt, ApiError> {
        failures.attempt(&request(address, None), &[], tried)
    }

    /// Something else each time.
    fn guess(nth: u32) -> String {
        format!("{nth:016}")
    }

    #[test]
    fn an_address_that_failed_too_often_waits_and_others_do_not() {
        let failures = SignInFailures::default();
        for nth in 0..MAX_FAILURES {
            assert!(from(&failures, "192.0.2.7", &guess(nth)).is_ok());
        }
        let refused = from(&failures, "192.0.2.7", "right").err();
        assert!(matches!(refused, Some(ApiError::TooManyFailures(1..=61))), "{refused:?}");
        assert!(from(&failures, "192.0.2.8", "right").is_ok());
        let nowhere = Request::new(()).into_parts().0;
        assert!(failures.attempt(&nowhere, &[], "right").is_ok());
    }

    #[test]
    fn success_counts_for_nothing() {
        let failures = SignInFailures::default();
        for _ in 0..MAX_FAILURES * 2 {
            from(&failures, "192.0.2.7", "right").unwrap_or_else(|_| panic!()).succeeded();
        }
        for nth in 1..MAX_FAILURES {
            assert!(from(&failures, "192.0.2.7", &guess(nth)).is_ok());
        }
        from(&failures, "192.0.2.7", "right").unwrap_or_else(|_| panic!()).succeeded();
        assert!(from(&failures, "192.0.2.7", "right").is_ok());
        assert!(from(&failures, "192.0.2.7", "right").is_err());
    }

    #[test]
    fn many_at_once_are_not_allowed_more() {
        let failures = SignInFailures::default();
        let under_way: Vec<_> =
            (0..MAX_FAILURES * 2).map(|nth| from(&failures, "192.0.2.7", &guess(nth))).collect();
        assert_eq!(under_way.iter().filter(|attempt| attempt.is_ok()).count(), 10);
    }

    #[test]
    fn an_address_holds_up_few_bodies_and_those_that_arrive_count_for_nothing() {
        let failures = SignInFailures::default();
        let body = || failures.body(&request("192.0.2.7", None), &[]);
        for _ in 0..MAX_FAILURES * 2 {
            body().unwrap_or_else(|_| panic!()).succeeded();
        }
        let under_way: Vec<_> = (0..MAX_FAILURES).map(|_| body()).collect();
        assert!(under_way.iter().all(Result::is_ok));
        assert!(body().is_err());
        assert!(failures.body(&request("192.0.2.7", Some("198.51.100.1")), &[]).is_ok(), "it is everybody's");
    }

    #[test]
    fn a_network_of_ipv6_is_one_customers() {
        let failures = SignInFailures::default();
        for host in 0..MAX_FAILURES {
            assert!(from(&failures, &format!("2001:db8:1:2::{host}"), &guess(host)).is_ok());
        }
        assert!(from(&failures, "2001:db8:1:2:ffff::1", "right").is_err());
        assert!(from(&failures, "2001:db8:1:3::1", "right").is_ok());
    }

    #[test]
    fn the_address_of_a_proxy_that_is_not_named_is_everybodys_and_not_counted() {
        let failures = SignInFailures::default();
        let forwarded = request("192.0.2.7", Some("198.51.100.1"));
        for nth in 0..MAX_FAILURES * 3 {
            assert!(failures.attempt(&forwarded, &[], &guess(nth)).is_ok());
        }
        assert!(failures.attempt(&forwarded, &[], "right").is_ok());
        // Once it is named, who is behind it is counted.
        let named = ["192.0.2.7/32".parse().unwrap()];
        for nth in 0..MAX_FAILURES {
            assert!(failures.attempt(&forwarded, &named, &guess(100 + nth)).is_ok());
        }
        assert!(failures.attempt(&forwarded, &named, "right").is_err());
        let other = request("192.0.2.7", Some("198.51.100.2"));
        assert!(failures.attempt(&other, &named, "right").is_ok());
    }

    #[test]
    fn whoever_knows_how_a_credential_begins_cannot_try_the_rest_from_many_addresses() {
        let failures = SignInFailures::default();
        for nth in 0..MAX_FAILURES {
            assert!(from(&failures, &format!("192.0.2.{nth}"), &format!("pr_abcdefghijklmnop{nth}")).is_ok());
        }
        assert!(from(&failures, "192.0.2.99", "pr_abcdefghijklmnopX").is_err());
        assert!(from(&failures, "192.0.2.99", "pr_bbcdefghijklmnopX").is_ok());
    }

    #[test]
    fn what_was_tried_is_told_by_its_beginning() {
        assert_eq!(beginning_of(" eyJh.eyJz.signature "), "eyJh.eyJz");
        assert_eq!(beginning_of("pr_0123456789abcdefghi"), "pr_0123456789abc");
        assert_eq!(beginning_of("ü"), "ü");
    }
}
