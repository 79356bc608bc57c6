//! What the API notes of the connection that a request came on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Semaphore;

use super::bytes::semaphore;

/// What the API notes of a connection.
#[derive(Debug)]
pub struct CallerConnection {
    is_known: AtomicBool,
    /// What the bodies on it may take.
    pub(super) bodies: Arc<Semaphore>,
}

impl CallerConnection {
    /// A connection whose bodies may take so much.
    pub fn new(body_bytes: usize) -> Self {
        Self { is_known: AtomicBool::new(false), bodies: semaphore(body_bytes) }
    }

    /// Whether a credential was shown on it that holds.
    pub fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Relaxed)
    }

    /// A credential was shown on it that holds.
    pub fn note_known(&self) {
        self.is_known.store(true, Ordering::Relaxed);
    }
}
