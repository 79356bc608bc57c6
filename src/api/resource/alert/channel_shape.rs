//! How channels look from outside, and what may be asked for.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::alerts::are_addresses;
use crate::api::conventions::validate::Findings;
use crate::api::error::ApiError;
use crate::domain::alert::unsent::{Unsent, UnsentReason};
use crate::domain::alert::{ChannelKind, Severity};
use crate::domain::endpoint::target_url;
use crate::domain::id::AlertChannelId;
use crate::send::EgressPolicy;
use crate::store::{AlertChannel, ChannelSettings};

/// The longest target, in bytes.
const MAX_TARGET_BYTES: usize = 2048;

/// A channel.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"name": "On call", "kind": "email", "target": "oncall@example.com"}))]
pub(super) struct AlertChannelIn {
    /// For people.
    #[schema(min_length = 1)]
    name: String,
    /// What it is.
    kind: ChannelKind,
    /// The URL of a chat's webhook, or addresses separated by commas; nothing for operational webhooks. It is a secret and
    /// never shown. In a change of a channel that keeps its kind, it stays when it is absent.
    #[schema(max_length = 2048)]
    target: Option<String>,
    /// What is less severe is not sent over it; `info` when absent.
    min_severity: Option<Severity>,
}

/// A channel, without its target.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AlertChannelOut {
    /// Its id.
    #[schema(value_type = String, example = "achan_01h455vb4pex5vsknk084sn02q")]
    id: AlertChannelId,
    /// For people.
    name: String,
    /// What it is.
    kind: ChannelKind,
    /// What is less severe is not sent over it.
    min_severity: Severity,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When something was last sent over it.
    #[schema(required)]
    last_sent_at: Option<DateTime<Utc>>,
    /// When something last failed to be sent.
    #[schema(required)]
    last_failed_at: Option<DateTime<Utc>>,
    /// Why it failed, until something is sent again.
    #[schema(required)]
    last_error: Option<String>,
    /// The same in parts.
    #[schema(required)]
    last_problem: Option<ChannelProblemOut>,
}

/// Why something could not be sent over a channel.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"code": "status", "statusCode": 404, "detail": "no_service"}))]
struct ChannelProblemOut {
    /// Why.
    code: UnsentReason,
    /// The status of the answer, if there was one.
    #[schema(required)]
    status_code: Option<u16>,
    /// The beginning of the answer, or what else is known; empty for nothing.
    detail: String,
}

impl From<Unsent> for ChannelProblemOut {
    fn from(unsent: Unsent) -> Self {
        let Unsent { reason, status, detail } = unsent;
        Self { code: reason, status_code: status, detail }
    }
}

/// Channels.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlertChannelsOut {
    /// The channels, the oldest first.
    #[schema(max_items = 20)]
    pub(super) data: Vec<AlertChannelOut>,
}

impl From<AlertChannel> for AlertChannelOut {
    fn from(channel: AlertChannel) -> Self {
        let AlertChannel {
            id,
            name,
            kind,
            min_severity,
            created_at,
            last_sent_at,
            last_failed_at,
            last_error,
        } = channel;
        Self {
            id,
            name,
            kind,
            min_severity,
            created_at,
            last_sent_at,
            last_failed_at,
            last_error: last_error.as_ref().map(Unsent::to_string),
            last_problem: last_error.map(Into::into),
        }
    }
}

impl AlertChannelIn {
    /// Whether a channel of that kind keeps its target.
    pub(super) fn keeps_target(&self, kind: ChannelKind) -> bool {
        self.target.is_none() && self.kind == kind
    }

    /// What it asks for, checked; its target only where that `is_given`.
    pub(super) fn settings(self, egress: &EgressPolicy, is_given: bool) -> Result<ChannelSettings, ApiError> {
        let mut findings = Findings::of_body();
        findings.name("name", &self.name);
        let target = self.target.as_deref().unwrap_or_default().trim();
        if is_given {
            findings.note("target", wrong_target(self.kind, target, egress));
        }
        findings.finish()?;
        Ok(ChannelSettings {
            target: target.to_owned(),
            name: self.name,
            kind: self.kind,
            min_severity: self.min_severity.unwrap_or(Severity::Info),
        })
    }
}

fn wrong_target(kind: ChannelKind, target: &str, egress: &EgressPolicy) -> Option<String> {
    if target.len() > MAX_TARGET_BYTES {
        return Some(format!("may have {MAX_TARGET_BYTES} bytes at most"));
    }
    match kind {
        ChannelKind::Operational => {
            (!target.is_empty()).then(|| "operational webhooks have no target".to_owned())
        }
        ChannelKind::Slack | ChannelKind::Teams => match target_url::parse(target) {
            Err(wrong) => Some(wrong.to_string()),
            Ok(url) => egress.check_literal(&url).err().map(|refused| refused.to_string()),
        },
        ChannelKind::Email => (!are_addresses(target))
            .then(|| "must be addresses such as oncall@example.com, separated by commas".to_owned()),
    }
}
