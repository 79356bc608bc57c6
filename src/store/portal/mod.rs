//! What the portal needs besides the API: how it looks in each environment, and test inboxes. Strangers reach some of it,
//! so it has connections of its own.

pub(in crate::store) mod inbox;
pub(in crate::store) mod look;

use super::database::pool::Pool;

/// Looks of the portal, and test inboxes.
#[derive(Clone)]
pub struct PortalStore {
    pub(super) pool: Pool,
}

impl std::fmt::Debug for PortalStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PortalStore").finish_non_exhaustive()
    }
}
