//! The socket that the API is served on.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A router being served.
pub struct Listener {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Listener {
    /// Binds and serves.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start(address: SocketAddr, router: Router) -> anyhow::Result<Self> {
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let serving =
            tokio::spawn(async move { axum::serve(listener, service).with_graceful_shutdown(stopped).await });
        tracing::info!("listening on http://{address}");
        Ok(Self { address, stop, serving })
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
