//! What requests may take.

use std::time::Duration;

use crate::inbox::MAX_BODY_BYTES;

/// What requests may take.
#[derive(Debug, Clone)]
pub struct IntakeLimits {
    /// No body may be larger.
    pub body_bytes: usize,
    /// How long a body may take.
    pub body_timeout: Duration,
    /// How long an answer may take, and as long again for the caller to take it.
    pub answer_timeout: Duration,
    /// What the bodies under way may take, all together.
    pub body_budget_bytes: usize,
    /// What large answers may take, all together.
    pub answer_budget_bytes: usize,
    /// The payloads that one page of a list shows at most.
    pub page_bytes: usize,
}

/// What somebody may send who has shown no credential yet: one, to sign in.
const STRANGERS_BODY_BYTES: usize = 16 << 10;
const STRANGERS_BODY_TIMEOUT: Duration = Duration::from_secs(10);

impl IntakeLimits {
    /// The same for those who have shown no credential yet.
    pub(in crate::api) fn of_strangers(&self) -> Self {
        Self {
            body_bytes: self.body_bytes.min(STRANGERS_BODY_BYTES),
            body_timeout: self.body_timeout.min(STRANGERS_BODY_TIMEOUT),
            ..self.clone()
        }
    }

    /// The same for what is posted to test inboxes.
    pub(in crate::api) fn of_inboxes(&self) -> Self {
        Self { body_bytes: MAX_BODY_BYTES, ..self.of_strangers() }
    }
}
