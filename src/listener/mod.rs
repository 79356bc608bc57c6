//! The socket that the API is served on, and what an unknown caller may take of it: connections are counted and timed, idle
//! ones are closed when there is no room for a new one, and descriptors are left for deliveries and the database.

mod connection;
mod connection_state;
pub mod descriptors;
mod discard_rate;
mod open_connections;
mod refusal;
mod watched_socket;

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

use connection::ConnectionServer;
use connection_state::CoarseClock;
use discard_rate::DiscardRate;
use open_connections::OpenConnections;
use refusal::Refusals;

/// How many connections may wait to be accepted, as far as the system allows. With the usual 128, a producer that opens some
/// hundreds at once has to try again a second later.
const BACKLOG: u32 = 4096;
/// How often overdue connections are looked for.
const SWEEP_INTERVAL: Duration = Duration::from_millis(250);
/// A connection is not closed to make room before it is this old, so that it can show its credential. New ones wait
/// meanwhile.
const MIN_AGE_TO_CLOSE: Duration = Duration::from_millis(150);
/// So many connections are taken on, or closed as overdue, at once; then requests under way have a turn. Strangers often
/// come, and are closed, by the thousand, and each of them is a task before that of a producer's next request.
const CONNECTIONS_PER_TURN: usize = 16;
/// How long requests under way have between two such turns.
const REQUESTS_TURN: Duration = Duration::from_millis(1);
/// How long nothing is accepted after the system has refused to.
const PAUSE_AFTER_ACCEPT_ERROR: Duration = Duration::from_millis(50);

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

/// A bound address that is not served yet. Connections wait.
pub struct BoundListener {
    listener: TcpListener,
    address: SocketAddr,
}

impl BoundListener {
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
    pub fn start(bound: BoundListener, router: Router, limits: ListenerLimits) -> Self {
        let BoundListener { listener, address } = bound;
        let stop = CancellationToken::new();
        let serving = TaskTracker::new();
        let clock = CoarseClock::default();
        let open = OpenConnections::new(limits.connections);
        let discard_rate = Arc::<DiscardRate>::default();
        let refusals = Refusals::new(discard_rate.clone());
        let acceptor = Acceptor {
            serving: ConnectionServer::new(router, &limits, clock.clone(), discard_rate, stop.clone()),
            open: open.clone(),
            refusals,
            under_way: serving.clone(),
        };
        let accepting = tokio::spawn({
            let stop = stop.clone();
            async move {
                tokio::select! {
                    () = acceptor.accept_all(listener) => {}
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

    /// Takes no more connections and waits for the requests under way, no longer than `timeout`.
    pub async fn stop(self, timeout: Duration) {
        self.stop.cancel();
        let finished = async {
            if let Err(error) = self.accepting.await {
                tracing::error!(%error, "the API broke off");
            }
            self.serving.close();
            self.serving.wait().await;
        };
        if tokio::time::timeout(timeout, finished).await.is_err() {
            tracing::warn!("some API requests were still under way at the end");
        }
    }
}

/// Accepts connections.
struct Acceptor {
    serving: ConnectionServer,
    open: Arc<OpenConnections>,
    refusals: Refusals,
    under_way: TaskTracker,
}

impl Acceptor {
    async fn accept_all(&self, listener: TcpListener) {
        let mut of_this_turn = 0;
        loop {
            if of_this_turn == CONNECTIONS_PER_TURN {
                tokio::time::sleep(REQUESTS_TURN).await;
                of_this_turn = 0;
            }
            of_this_turn += 1;
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let wait = self.open.wait_for_room(MIN_AGE_TO_CLOSE);
                    if !wait.is_zero() {
                        tokio::time::sleep(wait).await;
                    }
                    self.admit(stream, peer);
                }
                // The client has gone away.
                Err(error) if is_about_the_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted");
                    self.open.make_room();
                    tokio::time::sleep(PAUSE_AFTER_ACCEPT_ERROR).await;
                }
            }
        }
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr) {
        // An answer must not wait for the acknowledgement of what was sent before.
        let _ = stream.set_nodelay(true);
        let state = self.serving.new_state();
        match self.open.add(&state) {
            Some(slot) => {
                let serving = self.serving.clone();
                self.under_way.spawn(async move {
                    serving.serve(stream, peer, state).await;
                    drop(slot);
                });
            }
            None => self.refusals.refuse(stream),
        }
    }
}

fn is_about_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// Closes what is overdue.
async fn sweep(open: &OpenConnections, clock: &CoarseClock, limits: &ListenerLimits) {
    let mut ticks = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        ticks.tick().await;
        clock.advance();
        for turn in open.overdue(clock.now_ms(), limits).chunks(CONNECTIONS_PER_TURN) {
            turn.iter().for_each(|state| state.close());
            tokio::time::sleep(REQUESTS_TURN).await;
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
        // One for which there is no room would be accepted at its next try, or never.
        let timeout = Duration::from_secs(30);
        let connections: Vec<_> =
            (0..burst).map(|_| TcpStream::connect_timeout(&address, timeout).unwrap()).collect();
        assert_eq!(connections.len(), burst);
    }
}
