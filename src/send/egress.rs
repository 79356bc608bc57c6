//! Which addresses requests may go to. Tenants choose the URLs, so everything that is not the public internet is
//! refused: loopback, private networks, cloud metadata, and every spelling of them in IPv6; so are the addresses of
//! this server itself. An operator can open subnets; what is opened beats every refusal.
//!
//! It decides about addresses. The rest of `send/` sees to it that each address is checked: literals before the request,
//! names after DNS, and again on every new connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

use super::own_address::OwnAddresses;

/// An address that the policy does not allow. It does not say which: a tenant reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the address is not allowed by the egress policy (an operator can allow its network with `allow_subnets`)"
)]
pub struct Refused;

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(first: [u16; 3], length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first[0], first[1], first[2], 0, 0, 0, 0, 0), length)
}

/// The IPv4 addresses that are not the public internet (IANA's special-purpose registry), and one that clouds misuse.
const REFUSED_V4: [Ipv4Net; 16] = [
    v4(0, 0, 0, 0, 8),        // this network
    v4(10, 0, 0, 0, 8),       // private
    v4(100, 64, 0, 0, 10),    // carrier-grade NAT; metadata of one cloud
    v4(127, 0, 0, 0, 8),      // loopback
    v4(168, 63, 129, 16, 32), // Azure's host, public in number only
    v4(169, 254, 0, 0, 16),   // link-local; metadata of most clouds
    v4(172, 16, 0, 0, 12),    // private
    v4(192, 0, 0, 0, 24),     // protocol assignments; metadata of one cloud
    v4(192, 0, 2, 0, 24),     // documentation
    v4(192, 88, 99, 0, 24),   // 6to4 relays
    v4(192, 168, 0, 0, 16),   // private
    v4(198, 18, 0, 0, 15),    // benchmarks
    v4(198, 51, 100, 0, 24),  // documentation
    v4(203, 0, 113, 0, 24),   // documentation
    v4(224, 0, 0, 0, 4),      // multicast
    v4(240, 0, 0, 0, 4),      // reserved, broadcast
];

/// All of IPv6 that is in public use; the rest is loopback, unique local, link-local, site-local, multicast or reserved.
const PUBLIC_V6: Ipv6Net = v6([0x2000, 0, 0], 3);

/// Parts of [`PUBLIC_V6`] that are not public.
const REFUSED_V6: [Ipv6Net; 4] = [
    v6([0x2001, 0, 0], 23), // protocol assignments, benchmarks, ORCHID (Teredo is decoded before)
    v6([0x2001, 0xdb8, 0], 32), // documentation
    v6([0x3fff, 0, 0], 20), // documentation
    v6([0x5f00, 0, 0], 16), // segment routing
];

/// What may be reached.
#[derive(Debug, Clone, Default)]
pub struct EgressPolicy {
    allowed: Vec<IpNet>,
    own: Option<OwnAddresses>,
}

impl EgressPolicy {
    /// The policy with the operator's exceptions.
    pub fn new(allow_subnets: &[IpNet]) -> Self {
        Self { allowed: allow_subnets.to_vec(), own: None }
    }

    /// The same policy, which also refuses these.
    #[must_use]
    pub fn refusing(mut self, own: OwnAddresses) -> Self {
        self.own = Some(own);
        self
    }

    /// Whether requests may go to this address.
    pub fn allows(&self, address: IpAddr) -> bool {
        if self.allowed.iter().any(|subnet| subnet.contains(&address)) {
            return true;
        }
        if self.own.as_ref().is_some_and(|own| own.contains(address)) {
            return false;
        }
        match address {
            IpAddr::V4(address) => !REFUSED_V4.iter().any(|subnet| subnet.contains(&address)),
            IpAddr::V6(address) => self.allows_v6(address),
        }
    }

    /// Judges the host of a URL when it is an address: the parser has brought every spelling of IPv4 (`0x7f.1`,
    /// `2130706433`, `0177.0.0.1`) to one form. Names pass; they are judged after DNS.
    ///
    /// # Errors
    /// [`Refused`] when the address may not be reached.
    pub fn check_literal(&self, url: &Url) -> Result<(), Refused> {
        let allowed = match url.host() {
            Some(Host::Ipv4(address)) => self.allows(address.into()),
            Some(Host::Ipv6(address)) => self.allows(address.into()),
            Some(Host::Domain(_)) => true,
            None => false,
        };
        if allowed { Ok(()) } else { Err(Refused) }
    }

    fn allows_v6(&self, address: Ipv6Addr) -> bool {
        if address.is_loopback() || address.is_unspecified() {
            return false;
        }
        let within = embedded_v4(address);
        if !within.is_empty() {
            return within.iter().all(|inner| self.allows((*inner).into()));
        }
        PUBLIC_V6.contains(&address) && !REFUSED_V6.iter().any(|subnet| subnet.contains(&address))
    }
}

/// The IPv4 addresses that a transition form carries; empty when it is no such form. A packet to the form may end at
/// the address within, so that is what is judged. Local-use NAT64 (`64:ff9b:1::/48`, RFC 8215) is not decoded: where
/// in it the address stands is the network's own choice, and so it is refused as a whole.
fn embedded_v4(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let pair = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        // IPv4-compatible, IPv4-mapped, IPv4-translated (RFC 4291, RFC 2765), NAT64 (RFC 6052), 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0, high, low]
        | [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => vec![pair(high, low)],
        // Teredo (RFC 4380): the server, and the client with its bits inverted.
        [0x2001, 0, server_high, server_low, _, _, high, low] => {
            vec![pair(server_high, server_low), pair(!high, !low)]
        }
        // ISATAP (RFC 5214), under any prefix.
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] if PUBLIC_V6.contains(&address) => vec![pair(high, low)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
