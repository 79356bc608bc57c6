//! What the API notes of the connection that a request came on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use crate::domain::id::ApplicationId;
use crate::inbox::MAX_BODY_BYTES;

use super::body_sender::BodySender;
use super::bytes::semaphore;

/// What the bodies of strangers on one connection may take: two of the largest.
const STRANGERS_BYTES: usize = 2 * MAX_BODY_BYTES;

/// What the API notes of a connection.
#[derive(Debug)]
pub struct CallerConnection {
    is_known: AtomicBool,
    /// The tenant who showed a credential on it last.
    tenant: Mutex<Option<ApplicationId>>,
    /// What the bodies on it may take.
    bodies: Arc<Semaphore>,
    /// The same of those who showed no credential.
    strangers_bodies: Arc<Semaphore>,
}

impl CallerConnection {
    /// A connection whose bodies may take so much.
    pub fn new(body_bytes: usize) -> Self {
        Self {
            is_known: AtomicBool::new(false),
            tenant: Mutex::default(),
            bodies: semaphore(body_bytes),
            strangers_bodies: semaphore(STRANGERS_BYTES),
        }
    }

    /// Whether a credential was shown on it that holds.
    pub fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Relaxed)
    }

    /// The tenant whose credential was shown on it last; `None` while that is somebody else's, or nobody's.
    pub fn tenant(&self) -> Option<ApplicationId> {
        *self.tenant.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A credential was shown on it that holds: a tenant's, or somebody else's.
    pub fn note_known(&self, tenant: Option<ApplicationId>) {
        *self.tenant.lock().unwrap_or_else(PoisonError::into_inner) = tenant;
        self.is_known.store(true, Ordering::Relaxed);
    }

    /// The room on it for bodies of that kind.
    pub(super) fn room_of(&self, sender: BodySender) -> &Arc<Semaphore> {
        match sender {
            BodySender::Producer | BodySender::Tenant => &self.bodies,
            BodySender::SignIn | BodySender::Inbox => &self.strangers_bodies,
        }
    }
}
