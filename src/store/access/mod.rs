//! Who may do what, and who did: API keys, tokens that were taken back, people and sessions of the console, the audit log,
//! answers kept for idempotency keys.

mod actor_name;
pub(super) mod api_key;
pub(super) mod audit;
pub(super) mod audit_log;
pub(super) mod credentials;
pub(super) mod idempotency;
mod newcomers;
pub(super) mod person;
pub(super) mod session;
pub(super) mod sign_in_link;
pub(super) mod token_cutoff;

use super::Sealer;
use super::database::pool::Pool;

/// Keys, tokens, sessions, the audit log, and answers kept for idempotency keys.
#[derive(Clone)]
pub struct AccessStore {
    pub(super) pool: Pool,
    pub(super) sealer: Sealer,
}
