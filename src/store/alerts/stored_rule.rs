//! A rule, and how it is stored.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::domain::alert::Severity;
use crate::domain::alert::condition::Condition;
use crate::domain::alert::rule_state::RuleState;
use crate::domain::id::{AlertRuleId, EnvironmentId};
use crate::store::StoreError;

/// What a rule is set to.
#[derive(Debug, Clone)]
pub struct RuleSettings {
    /// For people.
    pub name: String,
    /// When it fires.
    pub condition: Condition,
    /// How severe that is.
    pub severity: Severity,
    /// Whether it is evaluated.
    pub enabled: bool,
    /// No second alert within this time.
    pub suppress: Duration,
    /// It has recovered when its condition was not met for this time.
    pub recover: Duration,
}

/// A rule.
#[derive(Debug, Clone)]
pub struct AlertRule {
    /// Its id.
    pub id: AlertRuleId,
    /// Whose it is.
    pub environment: EnvironmentId,
    /// What it is set to.
    pub settings: RuleSettings,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub watched_since: DateTime<Utc>,
    /// Its state.
    pub state: RuleState,
}

/// A row of `alert_rule`. One whose condition a later version has written is not read as another one.
pub(super) struct StoredRule {
    pub(super) id: Uuid,
    pub(super) environment_id: String,
    pub(super) name: String,
    pub(super) condition: Value,
    pub(super) severity: String,
    pub(super) enabled: bool,
    pub(super) suppress_seconds: i32,
    pub(super) recover_seconds: i32,
    pub(super) created_at: DateTime<Utc>,
    pub(super) watched_since: DateTime<Utc>,
    pub(super) firing_since: Option<DateTime<Utc>>,
    pub(super) last_met_at: Option<DateTime<Utc>>,
    pub(super) alerted_at: Option<DateTime<Utc>>,
    pub(super) is_alerted: bool,
}

impl TryFrom<StoredRule> for AlertRule {
    type Error = StoreError;

    fn try_from(row: StoredRule) -> Result<Self, StoreError> {
        let unreadable =
            |what: &str| StoreError::Inconsistent(format!("the {what} of an alert rule cannot be read"));
        let seconds = |seconds: i32| Duration::from_secs(seconds.unsigned_abs().into());
        Ok(Self {
            id: row.id.into(),
            environment: row.environment_id.parse().map_err(|_| unreadable("environment"))?,
            settings: RuleSettings {
                name: row.name,
                condition: serde_json::from_value(row.condition).map_err(|_| unreadable("condition"))?,
                severity: Severity::from_name(&row.severity).ok_or_else(|| unreadable("severity"))?,
                enabled: row.enabled,
                suppress: seconds(row.suppress_seconds),
                recover: seconds(row.recover_seconds),
            },
            created_at: row.created_at,
            watched_since: row.watched_since,
            state: RuleState {
                firing_since: row.firing_since,
                last_met_at: row.last_met_at,
                alerted_at: row.alerted_at,
                is_alerted: row.is_alerted,
            },
        })
    }
}
