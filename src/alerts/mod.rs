//! Alerts without anything beside Postrider: one node at a time evaluates the rules of all environments (`evaluate.rs`,
//! `measure.rs`), and every node with the dispatcher's role sends what they say (`notify.rs`) to operational webhooks and chats
//! (`payload.rs`) and by e-mail (`email.rs`).
//!
//! A notice is written in the commit that changes its rule's state, a row for each channel, so a crash loses none. It is claimed
//! under a lease and tried a few times; a crash after it was sent sends it once more.

mod email;
mod evaluate;
mod measure;
mod notify;
mod payload;

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::ingest::Ingest;
use crate::send::{CaFileError, Sender};
use crate::sending_threads::SendingThreads;
use crate::store::{AlertStore, RollupStore};

pub use email::SmtpOptions;
pub use email::SmtpServer;
pub use email::are_addresses;

use email::Mailer;
use evaluate::Evaluator;
use notify::Notifier;

/// How often a node asks whether a round of evaluation is due, and whether something is to be sent.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// What alerts work with.
pub struct AlertDependencies {
    /// Channels, rules, notices.
    pub alerts: AlertStore,
    /// Incidents.
    pub rollups: RollupStore,
    /// Posts operational webhooks.
    pub ingest: Ingest,
    /// The way out to chats.
    pub sender: Sender,
    /// Where requests to chats go out.
    pub sending_threads: SendingThreads,
    /// How e-mail is sent, where that is set.
    pub smtp: Option<SmtpOptions>,
}

/// Alerts under way.
pub struct Alerts {
    running: JoinHandle<()>,
}

impl Alerts {
    /// Starts. It ends when `stop` is cancelled; what is being sent then is sent again by another node.
    ///
    /// # Errors
    /// When `tls_ca_file` cannot be used.
    pub fn start(dependencies: AlertDependencies, stop: CancellationToken) -> Result<Self, CaFileError> {
        let AlertDependencies { alerts, rollups, ingest, sender, sending_threads, smtp } = dependencies;
        let evaluator = Evaluator { alerts: alerts.clone(), rollups };
        let mailer = smtp.as_ref().map(Mailer::new).transpose()?;
        let notifier = Notifier { alerts, ingest, sender, sending_threads, mailer };
        let running = tokio::spawn(async move {
            // A slow channel keeps no rule from being evaluated.
            tokio::join!(evaluate(&evaluator, &stop), stop.run_until_cancelled(send(&notifier)));
        });
        Ok(Self { running })
    }

    /// Waits for the end.
    pub async fn stopped(self) {
        if let Err(error) = self.running.await {
            tracing::error!(%error, "alerts broke off");
        }
    }
}

/// A round that has begun is ended, so that no other node waits for that.
async fn evaluate(evaluator: &Evaluator, stop: &CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(ASK_EVERY)).await.is_some() {
        if let Err(error) = evaluator.evaluate_if_due().await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "alert rules could not be evaluated");
        }
    }
}

async fn send(notifier: &Notifier) {
    loop {
        tokio::time::sleep(ASK_EVERY).await;
        if let Err(error) = notifier.send_due().await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "alerts wait for the database");
        }
    }
}
