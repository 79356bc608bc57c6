//! From a URL to a connection: name, addresses, policy, TCP, TLS.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::select_all;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use tokio_rustls::TlsConnector;
use url::Host;

use crate::domain::endpoint::Endpoint;
use crate::telemetry::metrics;

use super::certificate;
use super::connection::{Below, Connection, MAX_HEAD_BYTES, MAX_TLS_BYTES, Meters};
use super::egress::{EgressPolicy, Refused};
use super::error::SendError;
use super::progress::{Progress, Step};
use super::resolver::{ResolveError, Resolver};
use super::stream::metered::{Meter, Metered};
use super::stream::socket::{Socket, UnderWay};
use super::tls;

/// How long an address may be silent before the next one is tried beside it (RFC 8305, section 5).
pub(super) const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);
/// A name has no more addresses than this, as far as we are concerned.
const MAX_ADDRESSES_TRIED: usize = 8;
/// So many addresses are tried beside one another: each takes a socket.
const MAX_ADDRESSES_AT_ONCE: usize = 2;

/// Makes connections.
pub(super) struct Connector {
    pub(super) policy: EgressPolicy,
    pub(super) resolver: Resolver,
    pub(super) tls: TlsConnector,
    /// For endpoints whose certificate is not looked at.
    pub(super) unverified_tls: TlsConnector,
    /// How long the kernel keeps what a receiver does not take.
    pub(super) unsent_timeout: Duration,
}

impl Connector {
    /// A fresh connection to where an endpoint's URL leads.
    pub(super) async fn connect(
        &self,
        endpoint: &Endpoint,
        progress: &Progress,
    ) -> Result<Connection, SendError> {
        let url = &endpoint.url;
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(SendError::Unsendable);
        };
        progress.enter(Step::Dns);
        let addresses = self.addresses(&host).await.inspect_err(|error| {
            if matches!(error, SendError::Resolve(ResolveError::Refused(_))) {
                metrics::current().egress_refusals.increment(1);
            }
        })?;
        if matches!(host, Host::Domain(_)) {
            progress.passed(Step::Dns);
        }
        progress.enter(Step::Connection);
        let tcp = connect_any(&addresses, port).await.map_err(SendError::Connect)?;
        self.prepare(&tcp).map_err(SendError::Connect)?;
        progress.note(|facts| facts.address = tcp.peer_addr().ok().map(|peer| peer.ip().to_canonical()));
        progress.passed(Step::Connection);
        progress.enter(Step::Tls);
        if url.scheme() != "https" {
            return plain(tcp).await;
        }
        let connector = if endpoint.policy.insecure_tls { &self.unverified_tls } else { &self.tls };
        let connection = over_tls(connector, tcp, &host, progress).await?;
        progress.passed(Step::Tls);
        Ok(connection)
    }

    async fn addresses(&self, host: &Host<&str>) -> Result<Vec<IpAddr>, SendError> {
        // A literal needs no resolver, so it is judged here.
        let literal: IpAddr = match host {
            Host::Domain(name) => return Ok(self.resolver.addresses(name).await?),
            Host::Ipv4(address) => (*address).into(),
            Host::Ipv6(address) => (*address).into(),
        };
        if self.policy.allows(literal) { Ok(vec![literal]) } else { Err(SendError::Resolve(Refused.into())) }
    }

    fn prepare(&self, tcp: &TcpStream) -> io::Result<()> {
        tcp.set_nodelay(true)?;
        // An answer can be complete before the receiver has taken all of the request. The kernel gives up on what is left when
        // none of it was taken for so long.
        let unsent_timeout_ms = u32::try_from(self.unsent_timeout.as_millis()).unwrap_or(u32::MAX);
        #[cfg(target_os = "linux")]
        nix::sys::socket::setsockopt(tcp, nix::sys::socket::sockopt::TcpUserTimeout, &unsent_timeout_ms)?;
        #[cfg(not(target_os = "linux"))]
        let _no_such_option_here = unsent_timeout_ms;
        Ok(())
    }
}

async fn over_tls(
    connector: &TlsConnector,
    tcp: TcpStream,
    host: &Host<&str>,
    progress: &Progress,
) -> Result<Connection, SendError> {
    let name = match host {
        Host::Domain(name) => ServerName::try_from((*name).to_owned()).map_err(|_| SendError::NoTlsName)?,
        Host::Ipv4(address) => ServerName::from(IpAddr::from(*address)),
        Host::Ipv6(address) => ServerName::from(IpAddr::from(*address)),
    };
    let (http, records) = (Meter::new(MAX_HEAD_BYTES), Meter::new(MAX_TLS_BYTES));
    let under_way = UnderWay::default();
    let socket = Socket::new(tcp, under_way.clone());
    let stream = match connector.connect(name, Metered::new(socket, records.clone())).await {
        Ok(stream) => stream,
        Err(_) if records.is_exceeded() => return Err(SendError::TooMuch),
        Err(error) => return Err(SendError::Tls(error)),
    };
    progress.note(|facts| {
        let connection = stream.get_ref().1;
        facts.tls_version = connection.protocol_version().and_then(tls::version_name);
        facts.certificate_ends_at =
            connection.peer_certificates().and_then(<[_]>::first).and_then(certificate::ends_at);
    });
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let below = Below { under_way, meters: Meters { http: http.clone(), tls: Some(records) } };
    let made = if http2 {
        Connection::http2(Metered::of_frames(stream, http), below).await
    } else {
        Connection::http1(Metered::new(stream, http), below).await
    };
    made.map_err(SendError::Http)
}

async fn plain(tcp: TcpStream) -> Result<Connection, SendError> {
    let (http, under_way) = (Meter::new(MAX_HEAD_BYTES), UnderWay::default());
    let stream = Metered::new(Socket::new(tcp, under_way.clone()), http.clone());
    let below = Below { under_way, meters: Meters { http, tls: None } };
    Connection::http1(stream, below).await.map_err(SendError::Http)
}

/// Connects to the first address that answers.
pub(super) async fn connect_any(addresses: &[IpAddr], port: u16) -> io::Result<TcpStream> {
    first_to_answer(addresses, |address| TcpStream::connect(SocketAddr::new(address, port))).await
}

/// The first address that answers. The next one is tried when one fails, or is silent for a while; the one that has been
/// silent for longest is then given up.
async fn first_to_answer<T, F>(addresses: &[IpAddr], connect: impl Fn(IpAddr) -> F) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let mut left = addresses.iter().take(MAX_ADDRESSES_TRIED);
    let mut trying = VecDeque::new();
    let mut last_error = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        if let Some(address) = left.next() {
            if trying.len() == MAX_ADDRESSES_AT_ONCE {
                trying.pop_front();
            }
            trying.push_back(Box::pin(connect(*address)));
        } else if trying.is_empty() {
            return Err(last_error);
        }
        let next_at = Instant::now() + NEXT_ADDRESS_AFTER;
        tokio::select! {
            biased;
            (tried, index) = select_all(trying.iter_mut()).map(|(tried, index, _)| (tried, index)) => match tried {
                Ok(connected) => return Ok(connected),
                Err(error) => {
                    last_error = error;
                    trying.remove(index);
                }
            },
            () = sleep_until(next_at), if left.len() > 0 => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn two_addresses_are_tried_at_once_and_the_last_of_many_has_its_turn() {
        struct Trying<'a>(&'a Cell<usize>);
        impl Drop for Trying<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() - 1);
            }
        }
        let (at_once, most) = (Cell::new(0), Cell::new(0));
        let addresses = [1, 2, 3, 4, 5].map(|last| IpAddr::from([127, 0, 0, last]));
        let answered = first_to_answer(&addresses, |address| {
            at_once.set(at_once.get() + 1);
            most.set(most.get().max(at_once.get()));
            let trying = Trying(&at_once);
            async move {
                let _trying = trying;
                if address == addresses[4] { Ok(address) } else { pending().await }
            }
        });
        assert_eq!(answered.await.unwrap(), addresses[4]);
        assert_eq!((most.get(), at_once.get()), (2, 0));
    }
}
