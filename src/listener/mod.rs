//! The socket that the API is served on, and what a stranger may take of it: connections are counted and timed, one
//! that does nothing makes room for one that comes, and descriptors are left for deliveries and the database.

mod connection;
pub mod descriptors;
mod open;
mod refusal;
mod stage;
mod watched;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use connection::Serving;
use open::OpenConnections;
use refusal::Refusals;
use stage::Clock;

/// So many connections may wait to be accepted, as far as the system allows. With the usual 128, a producer that opens
/// some hundreds at once has to knock again a second later.
const BACKLOG: u32 = 4096;
/// How often overdue connections are looked for.
const SWEEP_EVERY: Duration = Duration::from_millis(250);
/// No connection is closed for a newcomer before it has had this long to show its credential. Newcomers wait meanwhile.
const TIME_TO_SPEAK: Duration = Duration::from_millis(50);
/// How long nothing is accepted after the system refused to.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What callers may take.
#[derive(Debug, Clone)]
pub struct ListenerLimits {
    /// Connections at a time.
    pub connections: usize,
    /// HTTP/2 requests at a time on one connection.
    pub streams: u32,
    /// How long the head of a request may take, the first one counted from when the connection was accepted.
    pub head_timeout: Duration,
    /// How long a connection is kept without a request.
    pub idle_timeout: Duration,
    /// How long a connection with a request under way is kept when no byte goes either way.
    pub stall_timeout: Duration,
    /// What the bodies under way on one connection may take.
    pub body_bytes: usize,
}

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
    accepting: JoinHandle<()>,
    serving: TaskTracker,
}

impl Listener {
    /// Serves.
    pub fn start(bound: Bound, router: Router, limits: ListenerLimits) -> Self {
        let Bound { listener, address } = bound;
        let stop = CancellationToken::new();
        let serving = TaskTracker::new();
        let clock = Clock::default();
        let open = OpenConnections::new(limits.connections);
        let door = Door {
            serving: Serving::new(router, &limits, clock.clone(), stop.clone()),
            open: open.clone(),
            refusals: Refusals::default(),
            under_way: serving.clone(),
        };
        let accepting = tokio::spawn({
            let stop = stop.clone();
            async move {
                tokio::select! {
                    () = door.accept_all(listener) => {}
                    () = sweep(&open, &clock, &limits) => {}
                    () = stop.cancelled() => {}
                }
            }
        });
        tracing::info!("listening on http://{address}");
        Self { address, stop, accepting, serving }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections and waits for the requests under way, no longer than `patience`.
    pub async fn stop(self, patience: Duration) {
        self.stop.cancel();
        let finished = async {
            if let Err(error) = self.accepting.await {
                tracing::error!(%error, "the API broke off");
            }
            self.serving.close();
            self.serving.wait().await;
        };
        if tokio::time::timeout(patience, finished).await.is_err() {
            tracing::warn!("some API requests were still under way at the end");
        }
    }
}

/// Where connections come in.
struct Door {
    serving: Serving,
    open: Arc<OpenConnections>,
    refusals: Refusals,
    under_way: TaskTracker,
}

impl Door {
    async fn accept_all(&self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let wait = self.open.wait_for_room(TIME_TO_SPEAK);
                    if !wait.is_zero() {
                        tokio::time::sleep(wait).await;
                    }
                    self.admit(stream, peer);
                }
                // The one that knocked is gone again.
                Err(error) if is_of_the_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted");
                    self.open.make_room();
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr) {
        // An answer never waits for the client to say that it has what was sent before.
        let _ = stream.set_nodelay(true);
        let stage = self.serving.stage();
        match self.open.enter(&stage) {
            Some(place) => {
                let serving = self.serving.clone();
                self.under_way.spawn(async move {
                    serving.serve(stream, peer, stage).await;
                    drop(place);
                });
            }
            None => self.refusals.refuse(stream),
        }
    }
}

fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// Closes what is overdue.
async fn sweep(open: &OpenConnections, clock: &Clock, limits: &ListenerLimits) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    loop {
        ticks.tick().await;
        clock.advance();
        open.close_overdue(clock.now_ms(), limits);
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
