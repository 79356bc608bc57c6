//! The claims on rows of the queue that this node holds in memory. A row that is claimed by this node in the database and
//! is not here was lost on the way, and is released (`rescue/`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use crate::domain::id::{EndpointId, MessageId};

/// Names a claim: the delivery, and the end of its lease, which is its token.
pub type ClaimKey = (MessageId, EndpointId, DateTime<Utc>);

/// The claims that are held. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct HeldClaims {
    held: Arc<Mutex<HashMap<ClaimKey, u32>>>,
}

/// Holds a claim until it is dropped.
#[derive(Debug)]
pub struct ClaimGuard {
    key: ClaimKey,
    claims: HeldClaims,
}

impl HeldClaims {
    fn held(&self) -> MutexGuard<'_, HashMap<ClaimKey, u32>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds a claim.
    pub fn hold(&self, key: ClaimKey) -> ClaimGuard {
        *self.held().entry(key).or_default() += 1;
        ClaimGuard { key, claims: self.clone() }
    }

    /// Whether it is held.
    pub fn holds(&self, key: &ClaimKey) -> bool {
        self.held().contains_key(key)
    }
}

impl Drop for ClaimGuard {
    fn drop(&mut self) {
        let mut held = self.claims.held();
        if let Some(count) = held.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_held_as_long_as_somebody_holds_it() {
        let claims = HeldClaims::default();
        let key = (MessageId::generate(), EndpointId::generate(), DateTime::UNIX_EPOCH);
        let (first, second) = (claims.hold(key), claims.hold(key));
        drop(first);
        assert!(claims.holds(&key));
        drop(second);
        assert!(!claims.holds(&key));
    }
}
