//! Sends what is to be sent, each notice over its channel, and tries again what could not be.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use crate::domain::alert::unsent::{Unsent, UnsentReason};
use crate::domain::alert::{ChannelKind, NoticeKind};
use crate::ingest::{Ingest, IngestError, NewMessage};
use crate::send::Sender;
use crate::sending_threads::SendingThreads;
use crate::store::{AlertNotice, AlertStore, StoreError};
use crate::telemetry::metrics;
use crate::telemetry::metrics::NoticeResult;

use super::email::Mailer;
use super::payload;

/// Nothing takes longer to be sent, whatever it is sent over.
const SEND_LIMIT: Duration = Duration::from_secs(30);
/// A node that has not sent by then what it claimed has stopped; another one claims it.
const LEASE: Duration = Duration::from_secs(90);
/// Notices that are claimed, and sent, at once.
const MAX_AT_ONCE: i64 = 20;
/// The waits after each failure; after the last one a notice is given up.
const RETRY_WAITS: [Duration; 5] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(1_800),
    Duration::from_secs(7_200),
];
/// So much is kept of why one could not be sent.
const MAX_DETAIL_CHARACTERS: usize = 300;

/// Sends notices.
pub(super) struct Notifier {
    pub(super) alerts: AlertStore,
    pub(super) ingest: Ingest,
    pub(super) sender: Sender,
    pub(super) sending_threads: SendingThreads,
    pub(super) mailer: Option<Mailer>,
}

impl Notifier {
    /// Sends everything that is due.
    pub(super) async fn send_due(&self) -> Result<(), StoreError> {
        loop {
            let due = self.alerts.claim_notices(LEASE, MAX_AT_ONCE).await?;
            if due.is_empty() {
                return Ok(());
            }
            let sending = due.iter().map(|notice| self.send_and_note(notice));
            for noted in futures_util::future::join_all(sending).await {
                noted?;
            }
        }
    }

    async fn send_and_note(&self, notice: &AlertNotice) -> Result<(), StoreError> {
        let sent = tokio::time::timeout(SEND_LIMIT, self.send(notice)).await;
        let count = |result| metrics::current().notice(notice.channel_kind, result);
        let Err(mut error) = sent.unwrap_or_else(|_| Err(Unsent::because(UnsentReason::Timeout, ""))) else {
            count(NoticeResult::Sent);
            return self.alerts.note_sent(notice).await;
        };
        error.detail = error.detail.chars().take(MAX_DETAIL_CHARACTERS).collect();
        let wait = wait_after(notice);
        count(if wait.is_some() { NoticeResult::Failed } else { NoticeResult::GivenUp });
        tracing::warn!(
            environment = %notice.environment,
            channel = %notice.channel,
            channel_kind = notice.channel_kind.name(),
            attempts = notice.attempts,
            given_up = wait.is_none(),
            %error,
            "an alert could not be sent"
        );
        self.alerts.note_unsent(notice, &error, wait).await
    }

    /// Sends a notice, or says what went wrong.
    async fn send(&self, notice: &AlertNotice) -> Result<(), Unsent> {
        let sealed = "the channel's target does not open with the main secret of this process";
        let target = notice.target.as_deref();
        let target = target.ok_or_else(|| Unsent::because(UnsentReason::TargetSealed, sealed))?;
        match notice.channel_kind {
            ChannelKind::Slack => self.post(target, &payload::slack(notice)).await,
            ChannelKind::Teams => self.post(target, &payload::teams(notice)).await,
            ChannelKind::Operational => self.post_operational(notice).await,
            ChannelKind::Email => {
                let unset = "no SMTP server is set (smtp_url, smtp_from)";
                let mailer = self.mailer.as_ref();
                let mailer = mailer.ok_or_else(|| Unsent::because(UnsentReason::NoMailServer, unset))?;
                let not_taken = |error| Unsent::because(UnsentReason::MailNotTaken, sentence_of(&error));
                mailer.send(notice, target).await.map_err(not_taken)
            }
        }
    }

    async fn post(&self, target: &str, body: &Value) -> Result<(), Unsent> {
        let unreadable = |_| Unsent::because(UnsentReason::Unsendable, "the channel's URL cannot be read");
        let url = target.parse().map_err(unreadable)?;
        let (sender, body) = (self.sender.clone(), Bytes::from(body.to_string()));
        let sending = self.sending_threads.run(async move { sender.post_json(&url, body).await });
        let broke_off = |error| Unsent::because(UnsentReason::NotPosted, sentence_of(&error));
        let outcome = sending.await.map_err(broke_off)?;
        let Some(failure) = outcome.failure else { return Ok(()) };
        let detail = String::from_utf8_lossy(&outcome.response_body).replace('\0', "");
        Err(Unsent { reason: failure.into(), status: outcome.http_status, detail })
    }

    async fn post_operational(&self, notice: &AlertNotice) -> Result<(), Unsent> {
        let none = "the environment has no endpoint for operational webhooks";
        let application = notice.operational_application;
        let application =
            application.ok_or_else(|| Unsent::because(UnsentReason::NoOperationalEndpoint, none))?;
        let message = NewMessage {
            event_type: payload::event_type(notice),
            event_id: Some(format!("alert-{}", notice.id.simple())),
            channels: Vec::new(),
            tags: Vec::new(),
            payload: Bytes::from(payload::operational(notice).to_string()),
            headers: HeaderMap::new(),
            payload_hours: None,
            only: None,
            idempotency: None,
        };
        match self.ingest.accept_into(application, &message).await {
            // It was posted before.
            Ok(_) | Err(IngestError::EventIdTaken) => Ok(()),
            Err(error) => Err(Unsent::because(UnsentReason::NotPosted, sentence_of(&error))),
        }
    }
}

/// How long until a notice that could not be sent is tried again; `None` when it is given up. One that tries a channel out is
/// tried once.
fn wait_after(notice: &AlertNotice) -> Option<Duration> {
    let failed_before = usize::try_from(notice.attempts).unwrap_or(usize::MAX).saturating_sub(1);
    RETRY_WAITS.get(failed_before).copied().filter(|_| notice.kind != NoticeKind::Test)
}

/// An error with its causes.
fn sentence_of(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
