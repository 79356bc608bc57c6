//! The customers' side: one HTTP server with a path for each endpoint. It verifies with the public
//! `standardwebhooks` crate and not with our own signer, so that it would find errors of the signer.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::statistics::{Behaviour, Statistics};

/// A running receiver; it stops when it is dropped.
pub(super) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    statistics: Arc<Statistics>,
    secrets: Mutex<HashMap<usize, Arc<Webhook>>>,
}

impl Receiver {
    pub(super) async fn start(statistics: Arc<Statistics>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { statistics, secrets: Mutex::default() });
        let router = Router::new().route("/{index}", post(receive)).with_state(shared.clone());
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the receiver ended");
            }
        });
        Ok(Self { address, shared, serving })
    }

    /// Where an endpoint's requests go.
    pub(super) fn url(&self, index: usize) -> String {
        format!("http://{}/{index}", self.address)
    }

    /// Requests at that index are signed with this secret.
    pub(super) fn expect_secret(&self, index: usize, secret: &str) -> anyhow::Result<()> {
        let webhook = Webhook::new(secret).context("the endpoint's secret cannot be read")?;
        let mut secrets = self.shared.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.insert(index, Arc::new(webhook));
        Ok(())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn receive(
    State(shared): State<Arc<Shared>>,
    Path(index): Path<usize>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let webhook = shared.secrets.lock().unwrap_or_else(PoisonError::into_inner).get(&index).cloned();
    if webhook.is_none_or(|webhook| webhook.verify(&body, &headers).is_err()) {
        shared.statistics.counts().bad_signatures += 1;
        return StatusCode::UNAUTHORIZED;
    }
    let message = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let (works, behaviour) = {
        let mut counts = shared.statistics.counts();
        let works = counts.arrived(index, message);
        (works, counts.endpoints.get(index).map(|endpoint| endpoint.behaviour))
    };
    if works {
        StatusCode::OK
    } else if behaviour == Some(Behaviour::Silent) {
        std::future::pending().await
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    }
}
