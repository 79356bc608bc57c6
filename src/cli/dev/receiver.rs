//! The customers' side: one HTTP server with a path for each endpoint. It verifies with the public
//! `standardwebhooks` crate and not with our own signer, so that it would find the signer wrong.

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

use super::tally::{Manner, Tally};

/// A running receiver; it stops when it is dropped.
pub(super) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    tally: Arc<Tally>,
    secrets: Mutex<HashMap<usize, Arc<Webhook>>>,
}

impl Receiver {
    pub(super) async fn start(tally: Arc<Tally>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { tally, secrets: Mutex::default() });
        let router = Router::new().route("/{place}", post(receive)).with_state(shared.clone());
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the receiver ended");
            }
        });
        Ok(Self { address, shared, serving })
    }

    /// Where an endpoint's requests go.
    pub(super) fn url(&self, place: usize) -> String {
        format!("http://{}/{place}", self.address)
    }

    /// Requests at that place are signed with this secret.
    pub(super) fn expect(&self, place: usize, secret: &str) -> anyhow::Result<()> {
        let webhook = Webhook::new(secret).context("the endpoint's secret cannot be read")?;
        let mut secrets = self.shared.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.insert(place, Arc::new(webhook));
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
    Path(place): Path<usize>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let webhook = shared.secrets.lock().unwrap_or_else(PoisonError::into_inner).get(&place).cloned();
    if webhook.is_none_or(|webhook| webhook.verify(&body, &headers).is_err()) {
        shared.tally.counts().forged += 1;
        return StatusCode::UNAUTHORIZED;
    }
    let message = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let (works, manner) = {
        let mut counts = shared.tally.counts();
        let works = counts.arrived(place, message);
        (works, counts.endpoints.get(place).map(|seen| seen.manner))
    };
    if works {
        StatusCode::OK
    } else if manner == Some(Manner::Silent) {
        std::future::pending().await
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    }
}
