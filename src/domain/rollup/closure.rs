//! Why nothing goes out to an endpoint.

use serde::Serialize;
use utoipa::ToSchema;

/// What keeps deliveries back. Where there is more than one reason, it is the one that has to be dealt with first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Closure {
    /// Somebody disabled the endpoint.
    DisabledByRequest,
    /// It answered 410.
    DisabledGone,
    /// It failed for too long.
    DisabledFailing,
    /// Somebody paused the endpoint.
    EndpointPaused,
    /// Somebody paused its application.
    ApplicationPaused,
    /// Somebody paused everything.
    AllPaused,
}

impl Closure {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::DisabledByRequest,
        Self::DisabledGone,
        Self::DisabledFailing,
        Self::EndpointPaused,
        Self::ApplicationPaused,
        Self::AllPaused,
    ];

    /// As shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DisabledByRequest => "disabled_by_request",
            Self::DisabledGone => "disabled_gone",
            Self::DisabledFailing => "disabled_failing",
            Self::EndpointPaused => "endpoint_paused",
            Self::ApplicationPaused => "application_paused",
            Self::AllPaused => "all_paused",
        }
    }

    /// From the name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|closure| closure.name() == name)
    }

    /// Whether the endpoint is disabled; otherwise something is paused.
    pub const fn is_disabled(self) -> bool {
        matches!(self, Self::DisabledByRequest | Self::DisabledGone | Self::DisabledFailing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_and_are_those_that_are_shown() {
        for closure in Closure::ALL {
            assert_eq!(Closure::from_name(closure.name()), Some(closure));
            assert_eq!(serde_json::to_value(closure).unwrap(), closure.name());
        }
        assert_eq!(Closure::from_name("open"), None);
    }
}
