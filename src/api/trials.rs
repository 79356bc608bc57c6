//! What trying endpoints out takes: the way out, and how often and how many at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::id::EndpointId;
use crate::keyed_limit::KeyedLimit;
use crate::send::Sender;

use super::error::ApiError;

/// Checks of an endpoint within [`WINDOW`].
const MAX_CHECKS: u32 = 10;
/// Explanations for an endpoint within [`WINDOW`].
const MAX_EXPLANATIONS: u32 = 30;
const WINDOW: Duration = Duration::from_secs(60);
/// So many endpoints are counted.
const MAX_ENDPOINTS: u64 = 50_000;
/// Checks at a time on this node.
const MAX_CHECKS_AT_ONCE: usize = 32;
/// Explanations at a time on this node: each may take a core for a tenth of a second.
const MAX_EXPLANATIONS_AT_ONCE: usize = 2;

/// What trying endpoints out takes.
pub struct Trials {
    /// The way out: that of deliveries.
    pub(in crate::api) sender: Sender,
    checks: KeyedLimit<EndpointId>,
    explanations: KeyedLimit<EndpointId>,
    checking: Arc<Semaphore>,
    explaining: Arc<Semaphore>,
}

impl Trials {
    /// Requests go out by this sender.
    pub fn new(sender: Sender) -> Self {
        Self {
            sender,
            checks: KeyedLimit::new(MAX_CHECKS, WINDOW, MAX_ENDPOINTS),
            explanations: KeyedLimit::new(MAX_EXPLANATIONS, WINDOW, MAX_ENDPOINTS),
            checking: Arc::new(Semaphore::new(MAX_CHECKS_AT_ONCE)),
            explaining: Arc::new(Semaphore::new(MAX_EXPLANATIONS_AT_ONCE)),
        }
    }

    /// Begins to check an endpoint. It is under way until what comes back is dropped.
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`] for the endpoint, [`ApiError::Overloaded`] for the node.
    pub(in crate::api) fn begin_check(&self, endpoint: EndpointId) -> Result<OwnedSemaphorePermit, ApiError> {
        self.checks.admit(endpoint).map_err(ApiError::TooManyRequests)?;
        self.checking.clone().try_acquire_owned().map_err(|_| ApiError::Overloaded(2))
    }

    /// Begins to explain a signature, when it is its turn.
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`] for the endpoint.
    pub(in crate::api) async fn begin_explanation(
        &self,
        endpoint: EndpointId,
    ) -> Result<OwnedSemaphorePermit, ApiError> {
        self.explanations.admit(endpoint).map_err(ApiError::TooManyRequests)?;
        self.explaining.clone().acquire_owned().await.map_err(|_| ApiError::Internal)
    }
}
