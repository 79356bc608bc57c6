//! The key that a transaction seals with. It is read where it is written down, and held until the commit, so that nothing
//! is sealed with the key before once another one is in use, on any node.

use crate::domain::main_secret::KeyId;
use crate::store::database::connection::Connection;
use crate::store::{Sealer, StoreError};

/// Puts the key into use that the database names, and holds it there until the caller's transaction ends.
///
/// # Errors
/// [`StoreError::Inconsistent`] when this process does not have that key.
pub(in crate::store) async fn hold_current_key(
    transaction: &mut Connection,
    sealer: &Sealer,
) -> Result<(), StoreError> {
    let held = sqlx::query_scalar!("-- sealing::hold\nSELECT key_id FROM sealing FOR SHARE")
        .fetch_one(transaction)
        .await?;
    // Nothing is there before the first start has remembered its main secret, which is the one in use then.
    let Some(held) = held else { return Ok(()) };
    let id = stored_id(&held)?;
    if sealer.secrets().switch_to(id) {
        Ok(())
    } else {
        Err(StoreError::Inconsistent(format!(
            "this process does not have the main secret with the key id {id}"
        )))
    }
}

/// An id that is stored as bytes.
pub(super) fn stored_id(bytes: &[u8]) -> Result<KeyId, StoreError> {
    KeyId::from_bytes(bytes)
        .ok_or_else(|| StoreError::Inconsistent("a stored key id is no key id".to_owned()))
}
