//! What endpoints may ask for. A tenant, who is not trusted with the server's resources, may ask for less.

use std::time::Duration;

/// What endpoints may ask for.
#[derive(Debug, Clone)]
pub struct Caps {
    /// Requests at a time to one endpoint.
    pub max_in_flight: u32,
    /// Whether their receiver's certificate may go unverified.
    pub insecure_tls: bool,
    /// Endpoints of one application.
    pub max_endpoints: u32,
    /// The same, when a tenant adds one.
    pub tenant_max_endpoints: u32,
    /// Retries in a schedule that a tenant sets.
    pub tenant_max_retries: u32,
    /// The shortest wait in a schedule that a tenant sets.
    pub tenant_min_retry_wait: Duration,
}
