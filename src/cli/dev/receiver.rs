//! The customers' side: one HTTP server with a path for each endpoint. It verifies with the public
//! `standardwebhooks` crate and not with our own signer, so that it would find errors of the signer.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::domain::chance;

use super::behaviour::Behaviour;
use super::statistics::Statistics;

/// How long an answer takes at the longest.
const MAX_DELAY: Duration = Duration::from_millis(60);
const MAX_DELAY_OF_SLOW: Duration = Duration::from_millis(1_400);

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
) -> Response {
    let webhook = shared.secrets.lock().unwrap_or_else(PoisonError::into_inner).get(&index).cloned();
    if webhook.is_none_or(|webhook| webhook.verify(&body, &headers).is_err()) {
        shared.statistics.counts().bad_signatures += 1;
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": "the signature is wrong"}))).into_response();
    }
    let message = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let (works, behaviour) = {
        let mut counts = shared.statistics.counts();
        let works = counts.arrived(index, message);
        (works, counts.endpoints.get(index).map(|endpoint| endpoint.behaviour))
    };
    let longest = if behaviour == Some(Behaviour::Slow) { MAX_DELAY_OF_SLOW } else { MAX_DELAY };
    tokio::time::sleep(longest.mul_f64(chance::fraction())).await;
    if works {
        return Json(json!({"received": message})).into_response();
    }
    let (status, error) = match behaviour {
        Some(Behaviour::Silent) => std::future::pending().await,
        Some(Behaviour::Broken) => (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be reached"),
        Some(Behaviour::Gone) => (StatusCode::GONE, "this integration was removed"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "something went wrong"),
    };
    (status, Json(json!({"error": error}))).into_response()
}
