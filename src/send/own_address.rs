//! The addresses of this server itself: those of the machine's interfaces, and of its database. No tenant may have
//! requests sent there, however public they are.

use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::ifaddrs::getifaddrs;
use url::{Host, Url};

/// Interfaces are asked anew when what is known of them is older.
const INTERFACES_CACHED_FOR: Duration = Duration::from_secs(5);

/// Addresses that are this server's own. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct OwnAddresses {
    database: Arc<[IpAddr]>,
    interfaces: Arc<Mutex<Option<Interfaces>>>,
}

/// What the machine's interfaces had for addresses.
#[derive(Debug)]
struct Interfaces {
    asked_at: Instant,
    addresses: Vec<IpAddr>,
}

impl OwnAddresses {
    /// The machine's, and those of the database at this URL, which are looked up once.
    pub fn with_database(url: Option<&str>) -> Self {
        let database =
            url.and_then(|url| Url::parse(url).ok()).map_or_else(Vec::new, |url| addresses_of(&url));
        Self { database: database.into(), interfaces: Arc::default() }
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.database.contains(&address) || self.is_of_machine(address)
    }

    fn is_of_machine(&self, address: IpAddr) -> bool {
        let mut known = self.interfaces.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|known| known.asked_at.elapsed() > INTERFACES_CACHED_FOR) {
            *known = Some(Interfaces { asked_at: Instant::now(), addresses: addresses_of_interfaces() });
        }
        known.as_ref().is_some_and(|known| known.addresses.contains(&address))
    }
}

fn addresses_of_interfaces() -> Vec<IpAddr> {
    let interfaces = match getifaddrs() {
        Ok(interfaces) => interfaces,
        Err(error) => {
            tracing::warn!(%error, "this machine's own addresses cannot be listed: deliveries to them are not refused");
            return Vec::new();
        }
    };
    let address = |storage: nix::sys::socket::SockaddrStorage| {
        let v4 = storage.as_sockaddr_in().map(|address| IpAddr::from(address.ip()));
        v4.or_else(|| storage.as_sockaddr_in6().map(|address| IpAddr::from(address.ip())))
    };
    interfaces.filter_map(|interface| address(interface.address?)).collect()
}

fn addresses_of(database: &Url) -> Vec<IpAddr> {
    match database.host() {
        Some(Host::Ipv4(address)) => vec![address.into()],
        Some(Host::Ipv6(address)) => vec![address.into()],
        Some(Host::Domain(name)) if !name.is_empty() => match name.parse() {
            Ok(address) => vec![address],
            Err(_) => (name, 0)
                .to_socket_addrs()
                .map_or_else(|_| Vec::new(), |found| found.map(|address| address.ip()).collect()),
        },
        // A unix socket.
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_and_its_database_are_known() {
        let own = OwnAddresses::with_database(Some("postgres://user:pass@203.0.113.7:5432/db"));
        for address in ["127.0.0.1", "203.0.113.7"] {
            assert!(own.contains(address.parse().unwrap()), "{address}");
        }
        assert!(!own.contains("8.8.8.8".parse().unwrap()));
        assert!(OwnAddresses::with_database(Some("postgres:///db?host=/run")).database.is_empty());
        assert!(
            OwnAddresses::with_database(Some("postgres://localhost/db"))
                .database
                .contains(&"127.0.0.1".parse().unwrap())
        );
    }
}
