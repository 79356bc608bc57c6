//! The addresses of this server itself: those of the machine's interfaces, and of its database. No tenant may have
//! requests sent there, however public they are.

use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use nix::ifaddrs::getifaddrs;
use tokio::net::lookup_host;

/// Interfaces are asked anew when what is known of them is older.
const INTERFACES_CACHED_FOR: Duration = Duration::from_secs(5);
/// The database's name is looked up again after this time when nobody knew it.
const NEXT_LOOKUP_AFTER: Duration = Duration::from_secs(5);

/// Addresses that are this server's own. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct OwnAddresses {
    database: Arc<OnceLock<Vec<IpAddr>>>,
    interfaces: Arc<Mutex<Interfaces>>,
}

/// What the machine's interfaces have for addresses.
#[derive(Debug, Default)]
struct Interfaces {
    asked_at: Option<Instant>,
    /// `None` where they could not be asked yet.
    addresses: Option<Vec<IpAddr>>,
}

impl OwnAddresses {
    /// The machine's, and those of the database on this host, an address or a name that is looked up until it is known. It
    /// must be made within a runtime.
    pub fn with_database(host: Option<&str>) -> Self {
        let own = Self::default();
        let Some(host) = host else { return own };
        match addresses_of(host) {
            Ok(addresses) => {
                own.database.get_or_init(|| addresses);
            }
            Err(error) => {
                tracing::warn!(
                    %error,
                    host,
                    "the database's addresses are not known: deliveries to them are not refused until they are"
                );
                tokio::spawn(look_up(host.to_owned(), own.database.clone()));
            }
        }
        own
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.database.get().is_some_and(|database| database.contains(&address)) || self.is_of_machine(address)
    }

    fn is_of_machine(&self, address: IpAddr) -> bool {
        let mut interfaces = self.interfaces.lock().unwrap_or_else(PoisonError::into_inner);
        interfaces.have(address, addresses_of_interfaces)
    }
}

impl Interfaces {
    /// Whether an address is theirs. As long as they could not be asked, every one is.
    fn have(&mut self, address: IpAddr, ask: impl FnOnce() -> nix::Result<Vec<IpAddr>>) -> bool {
        let is_old = self.asked_at.is_none_or(|at| at.elapsed() > INTERFACES_CACHED_FOR);
        if is_old || self.addresses.is_none() {
            self.asked_at = Some(Instant::now());
            match ask() {
                Ok(addresses) => self.addresses = Some(addresses),
                Err(error) => tracing::warn!(
                    %error,
                    "this machine's own addresses cannot be listed: those of before are refused, or everything"
                ),
            }
        }
        self.addresses.as_ref().is_none_or(|addresses| addresses.contains(&address))
    }
}

fn addresses_of_interfaces() -> nix::Result<Vec<IpAddr>> {
    let address = |storage: nix::sys::socket::SockaddrStorage| {
        let v4 = storage.as_sockaddr_in().map(|address| IpAddr::from(address.ip()));
        v4.or_else(|| storage.as_sockaddr_in6().map(|address| IpAddr::from(address.ip())))
    };
    Ok(getifaddrs()?.filter_map(|interface| address(interface.address?)).collect())
}

fn addresses_of(host: &str) -> std::io::Result<Vec<IpAddr>> {
    if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse() {
        return Ok(vec![address]);
    }
    Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

/// Looks a name up until it is known.
async fn look_up(host: String, known: Arc<OnceLock<Vec<IpAddr>>>) {
    loop {
        if let Ok(found) = lookup_host((host.as_str(), 0)).await {
            known.get_or_init(|| found.map(|address| address.ip()).collect());
            return;
        }
        tokio::time::sleep(NEXT_LOOKUP_AFTER).await;
    }
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;

    #[test]
    fn the_machine_and_its_database_are_known() {
        for (host, database) in
            [("203.0.113.7", "203.0.113.7"), ("[2001:db8::7]", "2001:db8::7"), ("localhost", "127.0.0.1")]
        {
            let own = OwnAddresses::with_database(Some(host));
            for address in ["127.0.0.1", database] {
                assert!(own.contains(address.parse().unwrap()), "{address}");
            }
            assert!(!own.contains("8.8.8.8".parse().unwrap()));
        }
    }

    #[tokio::test]
    async fn a_database_that_nobody_knew_at_first_is_looked_up_again() {
        let known = Arc::new(OnceLock::new());
        look_up("localhost".to_owned(), known.clone()).await;
        assert!(known.get().unwrap().contains(&"127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn interfaces_that_cannot_be_listed_open_nothing() {
        let [own, other] = ["198.51.100.1", "8.8.8.8"].map(|address| address.parse().unwrap());
        let mut interfaces = Interfaces::default();
        assert!(interfaces.have(own, || Err(Errno::EMFILE)) && interfaces.have(other, || Err(Errno::EMFILE)));
        assert!(interfaces.have(own, || Ok(vec![own])) && !interfaces.have(other, || panic!("asked again")));
        interfaces.asked_at = None;
        assert!(
            interfaces.have(own, || Err(Errno::EMFILE)) && !interfaces.have(other, || panic!("asked again"))
        );
    }
}
