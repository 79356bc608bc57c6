//! Who may do what, and who did: API keys, tokens that were taken back, people and sessions of the console, the audit log,
//! answers kept for idempotency keys.

pub(in crate::store) mod api_key;
pub(in crate::store) mod audit;
pub(in crate::store) mod audit_log;
pub(in crate::store) mod credentials;
pub(in crate::store) mod idempotency;
pub(in crate::store) mod person;
pub(in crate::store) mod session;
pub(in crate::store) mod sign_in_link;
pub(in crate::store) mod token_cutoff;

use super::Sealer;
use super::database::pool::Pool;

/// Keys, tokens, sessions, the audit log, and answers kept for idempotency keys.
#[derive(Clone)]
pub struct AccessStore {
    pub(super) pool: Pool,
    pub(super) sealer: Sealer,
}
