//! The socket that the API is served on.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// So many connections may wait to be accepted, as far as the system allows. With the usual 128, a producer that opens
/// some hundreds at once has to knock again a second later.
const BACKLOG: u32 = 4096;

/// A bound address that nobody is served on yet. Connections wait.
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Binds.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn bind(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = bind(address).with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A router being served.
pub struct Listener {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Listener {
    /// Serves.
    pub fn start(bound: Bound, router: Router) -> Self {
        let Bound { listener, address } = bound;
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        // An answer never waits for the client to say that it has what was sent before.
        let listener = listener.tap_io(|connection| {
            let _ = connection.set_nodelay(true);
        });
        let serving =
            tokio::spawn(async move { axum::serve(listener, service).with_graceful_shutdown(stopped).await });
        tracing::info!("listening on http://{address}");
        Self { address, stop, serving }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections and waits for the requests under way, no longer than `patience`.
    pub async fn stop(self, patience: Duration) {
        self.stop.cancel();
        match tokio::time::timeout(patience, self.serving).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the API stopped with an error"),
            Ok(Err(error)) => tracing::error!(%error, "the API broke off"),
            Err(_) => tracing::warn!("some API requests were still under way at the end"),
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart must not have to wait for the connections of the process before it.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{Ipv4Addr, TcpStream};

    use super::*;

    #[tokio::test]
    async fn a_burst_of_connections_has_room_before_any_is_accepted() {
        let most = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
        let burst = most.trim().parse::<usize>().unwrap().min(500);
        let listener = bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        // One for which there is no room would be let in when it knocks again, or never.
        let patience = Duration::from_secs(30);
        let connections: Vec<_> =
            (0..burst).map(|_| TcpStream::connect_timeout(&address, patience).unwrap()).collect();
        assert_eq!(connections.len(), burst);
    }
}
