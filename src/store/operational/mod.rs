//! Notices of what became of endpoints, which become operational webhooks.

pub(in crate::store) mod notice;
pub(in crate::store) mod tell;

use super::database::pool::Pool;

/// Notices of what became of endpoints.
#[derive(Clone)]
pub struct OperationalStore {
    pub(super) pool: Pool,
}
