//! What the handlers work with.

use std::sync::Arc;

use http::HeaderValue;
use ipnet::IpNet;
use url::Url;

use crate::config::Caps;
use crate::ingest::Ingest;
use crate::replay::ReplayHandle;
use crate::send::EgressPolicy;
use crate::store::{Credentials, Store};

use super::auth::Authenticator;
use super::intake::{Budgets, IntakeLimits};

/// What the API needs to do its work.
pub struct ApiState {
    /// The database.
    pub store: Store,
    /// Accepts messages.
    pub ingest: Ingest,
    /// Wakes this node's runner of background tasks.
    pub replay: ReplayHandle,
    /// What is known of API keys and of tokens that were taken back.
    pub credentials: Credentials,
    /// What links to this server start with.
    pub public_url: Url,
    /// Verifies tokens.
    pub authenticator: Authenticator,
    /// Judges the addresses of endpoints.
    pub egress: EgressPolicy,
    /// Proxies whose word on where a request came from is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// What requests may take.
    pub intake: IntakeLimits,
    /// What there is of it.
    pub budgets: Budgets,
    /// What endpoints may ask for.
    pub caps: Caps,
    /// Origins whose pages may call the API from a browser.
    pub cors_origins: Vec<HeaderValue>,
}

/// The state as handlers get it.
pub type SharedState = Arc<ApiState>;
