//! Who may do what, and who did: API keys, tokens that were taken back, the audit log, answers kept for idempotency keys.

pub(in crate::store) mod api_key;
pub(in crate::store) mod audit;
pub(in crate::store) mod audit_log;
pub(in crate::store) mod credentials;
pub(in crate::store) mod idempotency;
pub(in crate::store) mod token_cutoff;

use super::Sealer;
use super::database::pool::Pool;

/// Keys, tokens, the audit log, and answers kept for idempotency keys.
#[derive(Clone)]
pub struct AccessStore {
    pub(super) pool: Pool,
    pub(super) sealer: Sealer,
}
