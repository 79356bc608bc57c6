//! How rules look from outside, and what may be asked for.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::conventions::validate::Findings;
use crate::api::error::ApiError;
use crate::domain::alert::Severity;
use crate::domain::alert::condition::Condition;
use crate::domain::id::AlertRuleId;
use crate::store::{AlertRule, RuleSettings};

/// The longest time that a rule may wait, in seconds.
const MAX_WAIT_SECONDS: u32 = 7 * 24 * 3600;
/// The shortest time after which a rule has recovered, in seconds.
const MIN_RECOVER_SECONDS: u32 = 60;
const DEFAULT_RECOVER_SECONDS: u32 = 300;

/// A rule.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "name": "Dead letters", "condition": {"kind": "dead_letters", "count": 1, "minutes": 60}, "severity": "critical"
}))]
pub(super) struct AlertRuleIn {
    /// For people.
    #[schema(min_length = 1)]
    name: String,
    /// When it fires.
    condition: Condition,
    /// How severe that is.
    severity: Severity,
    /// Whether it is evaluated; `true` when absent.
    enabled: Option<bool>,
    /// No second alert is sent within this time; 0 when absent.
    #[schema(minimum = 0, maximum = 604_800)]
    suppress_seconds: Option<u32>,
    /// It has recovered when its condition was not met for this time; 300 when absent.
    #[schema(minimum = 60, maximum = 604_800)]
    recover_seconds: Option<u32>,
}

/// A rule, and its state.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AlertRuleOut {
    /// Its id.
    #[schema(value_type = String, example = "alert_01h455vb4pex5vsknk084sn02q")]
    id: AlertRuleId,
    /// For people.
    name: String,
    /// When it fires.
    condition: Condition,
    /// How severe that is.
    severity: Severity,
    /// Whether it is evaluated.
    enabled: bool,
    /// No second alert is sent within this time.
    suppress_seconds: u64,
    /// It has recovered when its condition was not met for this time.
    recover_seconds: u64,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// Since when its condition is met, until it has recovered.
    #[schema(required)]
    firing_since: Option<DateTime<Utc>>,
    /// When an alert was last sent.
    #[schema(required)]
    alerted_at: Option<DateTime<Utc>>,
}

/// Rules.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AlertRulesOut {
    /// The rules, the oldest first.
    #[schema(max_items = 50)]
    pub(super) data: Vec<AlertRuleOut>,
}

impl From<AlertRule> for AlertRuleOut {
    fn from(rule: AlertRule) -> Self {
        let settings = rule.settings;
        Self {
            id: rule.id,
            name: settings.name,
            condition: settings.condition,
            severity: settings.severity,
            enabled: settings.enabled,
            suppress_seconds: settings.suppress.as_secs(),
            recover_seconds: settings.recover.as_secs(),
            created_at: rule.created_at,
            firing_since: rule.state.firing_since,
            alerted_at: rule.state.alerted_at,
        }
    }
}

impl AlertRuleIn {
    /// What it asks for, checked.
    pub(super) fn settings(self) -> Result<RuleSettings, ApiError> {
        let mut findings = Findings::of_body();
        findings.name("name", &self.name);
        findings.note("condition", self.condition.wrong());
        let mut wait = |field: &str, given: Option<u32>, absent: u32, min: u32| {
            let seconds = given.unwrap_or(absent);
            if !(min..=MAX_WAIT_SECONDS).contains(&seconds) {
                findings.add(field, format!("must be between {min} and {MAX_WAIT_SECONDS}"));
            }
            Duration::from_secs(seconds.into())
        };
        let suppress = wait("suppressSeconds", self.suppress_seconds, 0, 0);
        let recover =
            wait("recoverSeconds", self.recover_seconds, DEFAULT_RECOVER_SECONDS, MIN_RECOVER_SECONDS);
        findings.finish()?;
        Ok(RuleSettings {
            name: self.name,
            condition: self.condition,
            severity: self.severity,
            enabled: self.enabled.unwrap_or(true),
            suppress,
            recover,
        })
    }
}
