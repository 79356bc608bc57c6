//! Notices of what became of endpoints, which become operational webhooks.

pub(super) mod notice;
pub(super) mod write_notice;

use super::database::pool::Pool;

/// Notices of what became of endpoints.
#[derive(Clone)]
pub struct OperationalStore {
    pub(super) pool: Pool,
}
