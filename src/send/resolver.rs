//! Names to addresses, and only to those that the egress policy allows. Connections are made to what is returned
//! here and to nothing else, so a name cannot change its address between check and connection.
//!
//! It asks DNS itself (hickory) rather than through `getaddrinfo`: that one blocks a thread for as long as a name
//! server is slow, and with tens of thousands of tenants' names the slow ones would use up the threads that the
//! others need. As `getaddrinfo` does, it reads `/etc/hosts` first and `/etc/resolv.conf` with its search list; it
//! does so once, at the start. Answers are cached for as long as they say, within bounds; of an answer, which may have
//! thousands of records, a few addresses are kept.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::{Hosts, TokioResolver};
use moka::sync::Cache;

use super::egress::{EgressPolicy, Refused};

/// Answers that are kept at most.
const CACHE_ENTRIES: u64 = 16 * 1024;
/// Addresses of a name that are looked at.
const MAX_ADDRESSES: usize = 16;
/// A tenant who moves a receiver waits no longer than this.
const MAX_TTL: Duration = Duration::from_secs(300);
/// A tenant who creates a missing name waits no longer than this.
const MAX_NEGATIVE_TTL: Duration = Duration::from_secs(15);
/// For one question to one server; a second try follows.
const QUERY_TIMEOUT: Duration = Duration::from_secs(3);

/// Why a name gave no address to connect to.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResolveError {
    /// It has addresses, and the policy refuses every one.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It has none, or no name server said so in time.
    #[error("the name could not be resolved")]
    NoAddress(#[source] Option<NetError>),
}

/// Resolves names, and keeps to the policy.
pub(super) struct Resolver {
    policy: EgressPolicy,
    hosts: Hosts,
    dns: TokioResolver,
    answers: Cache<Box<str>, Answer>,
}

/// What DNS said of a name.
#[derive(Clone)]
struct Answer {
    /// None when there is no such name, or it has none.
    addresses: Arc<[IpAddr]>,
    valid_until: Instant,
}

impl Resolver {
    /// A resolver with the system's configuration. A machine without one asks a name server on itself, as
    /// `getaddrinfo` would.
    pub(super) fn new(policy: EgressPolicy) -> Result<Self, NetError> {
        let mut builder = TokioResolver::builder_tokio().or_else(|_| {
            let local = NameServerConfig::udp_and_tcp(Ipv4Addr::LOCALHOST.into());
            let config = ResolverConfig::from_parts(None, Vec::new(), vec![local]);
            Ok::<_, NetError>(TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()))
        })?;
        let options = builder.options_mut();
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        // It would keep whole answers.
        options.cache_size = 0;
        options.timeout = QUERY_TIMEOUT;
        options.attempts = 1;
        options.max_active_requests = 1024;
        let dns = builder.build()?;
        let hosts = Hosts::from_system().unwrap_or_default();
        Ok(Self { policy, hosts, dns, answers: Cache::new(CACHE_ENTRIES) })
    }

    /// The addresses that a name's requests may go to, in the order in which they are to be tried.
    pub(super) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let name = dns_name(host).ok_or(ResolveError::NoAddress(None))?;
        let mut addresses = self.addresses_in_hosts(&name);
        if addresses.is_empty() {
            addresses = self.addresses_in_dns(host, name).await?;
        }
        if addresses.is_empty() {
            return Err(ResolveError::NoAddress(None));
        }
        addresses.retain(|address| self.policy.allows(*address));
        if addresses.is_empty() {
            return Err(Refused.into());
        }
        Ok(addresses)
    }

    async fn addresses_in_dns(&self, host: &str, name: Name) -> Result<Vec<IpAddr>, ResolveError> {
        if let Some(answer) = self.answers.get(host)
            && answer.valid_until > Instant::now()
        {
            return Ok(answer.addresses.to_vec());
        }
        let (addresses, valid_until) = match self.dns.lookup_ip(name).await {
            Ok(answer) => {
                let mut addresses: Vec<_> = answer.iter().collect();
                // IPv4 first: receivers' firewalls list the senders' IPv4 addresses, if any.
                addresses.sort_by_key(IpAddr::is_ipv6);
                addresses.truncate(MAX_ADDRESSES);
                (addresses, answer.valid_until().min(Instant::now() + MAX_TTL))
            }
            Err(NetError::Dns(DnsError::NoRecordsFound(none))) => {
                let ttl = Duration::from_secs(none.negative_ttl.map_or(0, u64::from));
                (Vec::new(), Instant::now() + ttl.min(MAX_NEGATIVE_TTL))
            }
            Err(error) => return Err(ResolveError::NoAddress(Some(error))),
        };
        self.answers.insert(host.into(), Answer { addresses: addresses.as_slice().into(), valid_until });
        Ok(addresses)
    }

    /// A name that stands in `/etc/hosts` is not asked for elsewhere, not even for its other family. IPv4 comes first here, too.
    fn addresses_in_hosts(&self, name: &Name) -> Vec<IpAddr> {
        [RecordType::A, RecordType::AAAA]
            .into_iter()
            .filter_map(|kind| self.hosts.lookup_static_host(&Query::query(name.clone(), kind)))
            .flat_map(|found| {
                found.answers().iter().filter_map(|record| record.data.ip_addr()).collect::<Vec<_>>()
            })
            .collect()
    }
}

/// A URL's host as a name for DNS. The URL's parser has made it ASCII; DNS itself allows any letter in a label, and
/// names such as `my_service` and `-x.example` are in use.
fn dns_name(host: &str) -> Option<Name> {
    let relative = host.strip_suffix('.').unwrap_or(host);
    let mut name = Name::from_labels(relative.split('.').map(str::as_bytes)).ok()?;
    // Without the dot at the end, the system's search list applies.
    name.set_fqdn(relative.len() < host.len());
    Some(name)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::net::UdpSocket;

    use super::*;

    fn inner(hosts: &str, subnets: &[&str]) -> Resolver {
        resolver(hosts, subnets, Vec::new())
    }

    fn resolver(hosts: &str, subnets: &[&str], servers: Vec<NameServerConfig>) -> Resolver {
        let policy =
            EgressPolicy::new(&subnets.iter().map(|subnet| subnet.parse().unwrap()).collect::<Vec<_>>());
        let mut read = Hosts::default();
        read.read_hosts_conf(hosts.as_bytes()).unwrap();
        let dns = TokioResolver::builder_with_config(
            ResolverConfig::from_parts(None, Vec::new(), servers),
            TokioRuntimeProvider::default(),
        );
        Resolver { policy, hosts: read, dns: dns.build().unwrap(), answers: Cache::new(CACHE_ENTRIES) }
    }

    const HOSTS: &str =
        "10.0.0.1 mixed.test\n2606:4700::1111 mixed.test\n8.8.8.8 mixed.test\n::1 inside.test\n";

    #[tokio::test]
    async fn only_the_allowed_addresses_of_a_name_are_used_and_ipv4_comes_first() {
        let expected: [IpAddr; 2] = ["8.8.8.8".parse().unwrap(), "2606:4700::1111".parse().unwrap()];
        assert_eq!(inner(HOSTS, &[]).addresses("mixed.test").await.unwrap(), expected);
        assert_eq!(inner(HOSTS, &["10.0.0.0/8"]).addresses("mixed.test").await.unwrap().len(), 3);
    }

    #[tokio::test]
    async fn a_name_without_an_allowed_address_is_refused_and_one_without_any_is_not_found() {
        assert!(matches!(inner(HOSTS, &[]).addresses("inside.test").await, Err(ResolveError::Refused(_))));
        assert!(inner(HOSTS, &["::1/128"]).addresses("inside.test").await.is_ok());
        assert!(matches!(inner(HOSTS, &[]).addresses("other.test").await, Err(ResolveError::NoAddress(_))));
    }

    #[tokio::test]
    async fn localhost_needs_neither_hosts_nor_dns() {
        let addresses = inner("", &["127.0.0.0/8"]).addresses("localhost").await.unwrap();
        assert_eq!(addresses, [IpAddr::from(Ipv4Addr::LOCALHOST)]);
        assert!(matches!(inner("", &[]).addresses("localhost").await, Err(ResolveError::Refused(_))));
    }

    /// A name server that gives every name so many IPv4 addresses, and no others, for a minute; and how often it was asked.
    async fn name_server(addresses: u16) -> (NameServerConfig, Arc<AtomicUsize>) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut config = NameServerConfig::udp_and_tcp(Ipv4Addr::LOCALHOST.into());
        config.connections.iter_mut().for_each(|one| one.port = socket.local_addr().unwrap().port());
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        tokio::spawn(async move {
            let mut message = [0; 1500];
            while let Ok((_, from)) = socket.recv_from(&mut message).await {
                counted.fetch_add(1, Ordering::SeqCst);
                // The question is a name, which ends with a zero, a type and a class.
                let end = 12 + message[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
                let count = if message[end - 3] == 1 { addresses } else { 0 };
                let head = [&message[..2], &[0x81, 0x80, 0, 1], &count.to_be_bytes(), &[0; 4]].concat();
                let record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 8, 8, 8];
                let records = (1..=count).flat_map(|last| [&record[..], &[last.to_be_bytes()[1]]].concat());
                let answer = [head, message[12..end].to_vec(), records.collect()].concat();
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        (config, asked)
    }

    #[tokio::test]
    async fn of_an_answer_with_many_addresses_a_few_are_kept_for_its_time() {
        let (server, asked) = name_server(25).await;
        let resolver = resolver("", &[], vec![server]);
        for _ in 0..3 {
            let addresses = resolver.addresses("many.example").await.unwrap();
            assert_eq!(addresses.len(), MAX_ADDRESSES);
        }
        // For IPv4, and for IPv6.
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }
}
