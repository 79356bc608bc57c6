//! Why deliveries are held.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// What deliveries are held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// The endpoint is disabled.
    EndpointDisabled,
    /// An operator paused the endpoint.
    EndpointPaused,
    /// An operator paused the application.
    ApplicationPaused,
    /// An operator paused all dispatching.
    DispatchingPaused,
}

/// Since when deliveries are held, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// For what. Where there is more than one reason, the one that is nearest to the endpoint.
    pub reason: HoldReason,
    /// Since when.
    pub since: DateTime<Utc>,
}
