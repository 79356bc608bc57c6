//! Alerts: what an environment wants to be alerted to (`condition.rs`), and when an alert or a recovery is sent
//! (`rule_state.rs`), and why one could not be (`unsent.rs`). However much happens, a rule sends one alert when its condition begins to be met, and one recovery.

pub mod condition;
pub mod rule_state;
pub mod unsent;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How severe it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// It can wait until morning.
    Warning,
    /// Somebody has to get up.
    Critical,
}

impl Severity {
    /// All of them, the least severe first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// As stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// From the stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }

    /// The names of this one and of all that are less severe.
    #[must_use]
    pub fn names_up_to(self) -> Vec<&'static str> {
        Self::ALL.into_iter().filter(|severity| *severity <= self).map(Self::name).collect()
    }
}

/// What alerts are sent over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// The environment's operational webhooks: a message `alert.fired` or `alert.recovered`.
    Operational,
    /// An incoming webhook of Slack, or of what understands the same.
    Slack,
    /// A workflow's webhook of Microsoft Teams.
    Teams,
    /// Addresses, separated by commas.
    Email,
}

impl ChannelKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Operational, Self::Slack, Self::Teams, Self::Email];

    /// As stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operational => "operational",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Email => "email",
        }
    }

    /// From the stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a notice says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// A condition began to be met.
    Fired,
    /// It has not been met for a while.
    Recovered,
    /// Nothing happened; a channel is tried out.
    Test,
}

impl NoticeKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Fired, Self::Recovered, Self::Test];

    /// As stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Recovered => "recovered",
            Self::Test => "test",
        }
    }

    /// From the stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_takes_what_is_as_severe_as_it_asks_for() {
        assert_eq!(Severity::Info.names_up_to(), ["info"]);
        assert_eq!(Severity::Warning.names_up_to(), ["info", "warning"]);
        assert_eq!(Severity::Critical.names_up_to(), ["info", "warning", "critical"]);
    }

    #[test]
    fn names_are_shown_as_they_are_stored() {
        for severity in Severity::ALL {
            assert_eq!(serde_json::to_value(severity).unwrap(), severity.name());
            assert_eq!(Severity::from_name(severity.name()), Some(severity));
        }
        for kind in ChannelKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            assert_eq!(ChannelKind::from_name(kind.name()), Some(kind));
        }
    }
}
