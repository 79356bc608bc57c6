//! Operational webhooks: an environment is told what becomes of its tenants' endpoints, through the same engine that
//! serves the tenants. Its endpoints belong to a hidden application; what happens is noted in the transaction in which
//! it happens (`store/operational.rs`), and each notice becomes a message of that application.
//!
//! A notice is posted under an `eventId` of its own and forgotten afterwards. A crash in between posts it again, and
//! the `eventId` keeps that from being a second message; so nothing is lost and nothing is posted twice, by whichever
//! node. What can happen in masses is told once for each endpoint, kind and window, with a count.

mod payload;

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::ingest::{Ingest, IngestError, NewMessage};
use crate::store::{OperationalNotice, OperationalStore, StoreError};

use payload::payload;

/// Notices that are taken and posted together.
const MAX_NOTICES_AT_ONCE: i64 = 100;
/// A node that has taken notices and not posted them by then has stopped; another one takes them.
const NOTICE_LEASE: Duration = Duration::from_secs(10);

/// Turns notices into messages until it is stopped.
#[derive(Debug)]
pub struct OperationalWebhooks {
    running: JoinHandle<()>,
}

impl OperationalWebhooks {
    /// Starts. What can happen in masses is told once a `window`. It ends when `stop` is cancelled.
    pub fn start(
        operational: OperationalStore,
        ingest: Ingest,
        window: Duration,
        stop: CancellationToken,
    ) -> Self {
        let worker = Worker { operational, ingest, window };
        Self { running: tokio::spawn(async move { worker.run(stop).await }) }
    }

    /// Waits for the end.
    pub async fn stopped(self) {
        if let Err(error) = self.running.await {
            tracing::error!(%error, "operational webhooks broke off");
        }
    }
}

struct Worker {
    operational: OperationalStore,
    ingest: Ingest,
    window: Duration,
}

impl Worker {
    async fn run(&self, stop: CancellationToken) {
        let every = (self.window / 4).clamp(Duration::from_millis(50), Duration::from_secs(1));
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.seal_and_post(&stop).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "operational webhooks wait for the database");
            }
        }
    }

    /// Seals what is due, and posts what is sealed.
    async fn seal_and_post(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        self.operational.seal_notices(self.window).await?;
        while !stop.is_cancelled() {
            let notices = self.operational.take_notices(NOTICE_LEASE, MAX_NOTICES_AT_ONCE).await?;
            if notices.is_empty() {
                break;
            }
            self.post_all(notices).await?;
        }
        Ok(())
    }

    async fn post_all(&self, notices: Vec<OperationalNotice>) -> Result<(), StoreError> {
        let mut posts = JoinSet::new();
        for notice in notices {
            let ingest = self.ingest.clone();
            posts.spawn(async move { post(&ingest, &notice).await.then_some(notice.id) });
        }
        let mut done: Vec<Uuid> = Vec::new();
        while let Some(posted) = posts.join_next().await {
            done.extend(posted.ok().flatten());
        }
        self.operational.forget_notices(&done).await
    }
}

/// Posts a notice. Returns whether it is done; otherwise it is tried again when its lease has ended.
async fn post(ingest: &Ingest, notice: &OperationalNotice) -> bool {
    let Some(target) = notice.target else { return true };
    let message = NewMessage {
        event_type: notice.kind.name().to_owned(),
        event_id: Some(format!("notice-{}", notice.id.simple())),
        channels: Vec::new(),
        tags: Vec::new(),
        payload: Bytes::from(payload(notice).to_string()),
        headers: HeaderMap::new(),
        idempotency: None,
        only: None,
        payload_hours: None,
    };
    match ingest.accept_into(target, &message).await {
        // It was posted before, or the environment has no operational webhooks any more.
        Ok(_) | Err(IngestError::EventIdTaken | IngestError::UnknownApplication) => true,
        Err(error) => {
            tracing::warn!(%error, kind = notice.kind.name(), "an operational webhook waits");
            false
        }
    }
}
