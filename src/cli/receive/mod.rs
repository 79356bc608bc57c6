//! `postrider receive`: a receiver for trials. It prints each webhook that comes, and whether its signature is right by the given
//! secret, and answers as it is told to. It verifies with the public `standardwebhooks` crate and not with our own signer.

mod arrival;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use clap::Args;
use http::{HeaderMap, Method, StatusCode, Uri};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;

use crate::config::duration;
use crate::domain::clock::Clock;

use arrival::Arrival;

/// As large as a message can be.
const MAX_BODY_BYTES: usize = 64 << 20;

#[derive(Debug, Args)]
pub(super) struct Receive {
    /// Where it listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// The endpoint's secret `whsec_…`, or the public key `whpk_…` of an ed25519 one; without it nothing is verified
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    /// What is answered to a webhook; one whose signature is wrong is answered 401
    #[arg(long, value_name = "CODE", default_value = "204", value_parser = status)]
    status: StatusCode,
    /// How long each answer takes
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    delay: Duration,
    /// End after so many webhooks that were genuine
    #[arg(long, value_name = "N")]
    count: Option<u32>,
}

fn status(text: &str) -> Result<StatusCode, String> {
    let code = text.parse().ok().filter(|code: &StatusCode| !code.is_informational());
    code.ok_or_else(|| format!("`{text}` is not a status such as 204 or 503"))
}

struct Shared {
    secret: Option<String>,
    status: StatusCode,
    delay: Duration,
    /// Has a permit for each genuine webhook.
    genuine: Semaphore,
}

impl Receive {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let listener = TcpListener::bind(self.listen)
            .await
            .with_context(|| format!("nothing can listen at {}", self.listen))?;
        super::print(&format!("waiting for webhooks at http://{}/", listener.local_addr()?))?;
        let shared = Arc::new(Shared {
            secret: self.secret,
            status: self.status,
            delay: self.delay,
            genuine: Semaphore::new(0),
        });
        let router = Router::new()
            .fallback(receive)
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .with_state(shared.clone());
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let count = self.count;
        let stopped = async move {
            let enough = async {
                match count {
                    Some(count) => drop(shared.genuine.acquire_many(count).await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = enough => {}
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        // Answers under way are finished first.
        axum::serve(listener, router).with_graceful_shutdown(stopped).await.context("the receiver ended")
    }
}

async fn receive(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if method != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    let arrival = Arrival::of(&headers, &body, shared.secret.as_deref(), Clock::default().now());
    if super::print(&arrival.told(uri.path())).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    tokio::time::sleep(shared.delay).await;
    if !arrival.is_genuine() {
        return StatusCode::UNAUTHORIZED;
    }
    shared.genuine.add_permits(1);
    shared.status
}
