//! What trying endpoints out takes: the way out, and how often and how many at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::id::{ApplicationId, EndpointId};
use crate::keyed_limit::KeyedLimit;
use crate::send::Sender;
use crate::sending_threads::SendingThreads;

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
/// Of these, checks of one application.
const MAX_CHECKS_OF_APPLICATION: usize = MAX_CHECKS_AT_ONCE / 4;
/// When to come back where there are too many at a time.
const COME_BACK_AFTER_SECONDS: u32 = 2;
/// Explanations at a time on this node: each may take a core for a tenth of a second.
const MAX_EXPLANATIONS_AT_ONCE: usize = 2;

/// Who checks endpoints at the moment: each application's semaphore is there as long as it does.
type ByApplication = Mutex<HashMap<ApplicationId, Weak<Semaphore>>>;

/// A check that is under way.
pub(in crate::api) struct CheckUnderWay {
    _of_all: OwnedSemaphorePermit,
    _of_application: OwnedSemaphorePermit,
}

/// What trying endpoints out takes.
pub struct Trials {
    /// The way out: that of deliveries.
    pub(in crate::api) sender: Sender,
    /// Where requests go out.
    pub(in crate::api) threads: SendingThreads,
    checks: KeyedLimit<EndpointId>,
    explanations: KeyedLimit<EndpointId>,
    checking: Arc<Semaphore>,
    checking_of: ByApplication,
    explaining: Arc<Semaphore>,
}

impl Trials {
    /// Requests go out by this sender, on these threads.
    pub fn new(sender: Sender, threads: SendingThreads) -> Self {
        Self {
            sender,
            threads,
            checks: KeyedLimit::new(MAX_CHECKS, WINDOW, MAX_ENDPOINTS),
            explanations: KeyedLimit::new(MAX_EXPLANATIONS, WINDOW, MAX_ENDPOINTS),
            checking: Arc::new(Semaphore::new(MAX_CHECKS_AT_ONCE)),
            checking_of: ByApplication::default(),
            explaining: Arc::new(Semaphore::new(MAX_EXPLANATIONS_AT_ONCE)),
        }
    }

    /// Begins to check an endpoint. It is under way until what comes back is dropped.
    ///
    /// # Errors
    /// [`ApiError::TooManyRequests`] for the endpoint and for the application, [`ApiError::Overloaded`] for the node.
    pub(in crate::api) fn begin_check(
        &self,
        application: ApplicationId,
        endpoint: EndpointId,
    ) -> Result<CheckUnderWay, ApiError> {
        self.checks.admit(endpoint).map_err(ApiError::TooManyRequests)?;
        let mut checking_of = self.checking_of.lock().unwrap_or_else(PoisonError::into_inner);
        let of_application = checking_of
            .get(&application)
            .and_then(Weak::upgrade)
            .unwrap_or_else(|| Arc::new(Semaphore::new(MAX_CHECKS_OF_APPLICATION)));
        let too_many = |_| ApiError::TooManyRequests(COME_BACK_AFTER_SECONDS);
        let of_application_permit = of_application.clone().try_acquire_owned().map_err(too_many)?;
        checking_of.retain(|_, semaphore| semaphore.strong_count() > 0);
        checking_of.insert(application, Arc::downgrade(&of_application));
        let too_many = |_| ApiError::Overloaded(COME_BACK_AFTER_SECONDS);
        let of_all = self.checking.clone().try_acquire_owned().map_err(too_many)?;
        Ok(CheckUnderWay { _of_all: of_all, _of_application: of_application_permit })
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

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;

    use super::*;
    use crate::send::SenderOptions;

    #[tokio::test]
    async fn one_application_does_not_take_all_checks() {
        crate::send::install_tls_provider();
        let sender = Sender::new(&SenderOptions::default()).unwrap();
        let trials = Trials::new(sender, SendingThreads::new(Handle::current()));
        let begin = |application| trials.begin_check(application, EndpointId::generate());
        let (one, other) = (ApplicationId::generate(), ApplicationId::generate());
        let mut under_way: Vec<_> =
            (0..MAX_CHECKS_OF_APPLICATION).map(|_| begin(one).ok().unwrap()).collect();
        assert!(matches!(begin(one), Err(ApiError::TooManyRequests(_))));
        let _other = begin(other).ok().unwrap();
        under_way.pop();
        assert!(begin(one).is_ok(), "one has ended");
        assert_eq!(trials.checking_of.lock().unwrap().len(), 2);
        drop(under_way);
        let _check = begin(other).ok().unwrap();
        assert_eq!(trials.checking_of.lock().unwrap().len(), 1, "who checks nothing is forgotten");
    }
}
