//! What a file says of alerts: an environment's rules, and the channels that alerts are sent over. Each is known by its name.

use serde::{Deserialize, Serialize};

use crate::domain::alert::condition::Condition;
use crate::domain::alert::{ChannelKind, Severity};

use super::plain_settings::plain_settings;

/// The fields of `PUT …/alert-rule/{alert_rule_id}`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct AlertRuleSettings {
    name: Option<String>,
    condition: Option<Condition>,
    severity: Option<Severity>,
    enabled: bool,
    suppress_seconds: u32,
    recover_seconds: u32,
}

impl Default for AlertRuleSettings {
    fn default() -> Self {
        Self {
            name: None,
            condition: None,
            severity: None,
            enabled: true,
            suppress_seconds: 0,
            recover_seconds: 300,
        }
    }
}

/// The fields of `PUT …/alert-channel/{alert_channel_id}` but for the target, which is a secret.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct AlertChannelSettings {
    name: Option<String>,
    kind: Option<ChannelKind>,
    min_severity: Severity,
}

impl Default for AlertChannelSettings {
    fn default() -> Self {
        Self { name: None, kind: None, min_severity: Severity::Info }
    }
}

plain_settings!(AlertRuleSettings, AlertChannelSettings);
