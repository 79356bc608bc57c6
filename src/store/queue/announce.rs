//! Wakes the dispatchers of every node when a transaction that puts work into the queue commits.

use crate::domain::id::EndpointId;
use crate::store::StoreError;
use crate::store::database::connection::Connection;

use super::listen::due_payload;

/// Wakes the dispatchers when the transaction commits: for these endpoints, or for any when none is named.
pub(in crate::store) async fn announce_due(
    tx: &mut Connection,
    endpoints: &[EndpointId],
) -> Result<(), StoreError> {
    sqlx::query!("-- pending::announce_due\nSELECT pg_notify('postrider_due' || current_setting('postrider.cell'), $1)", due_payload(endpoints))
        .fetch_one(tx)
        .await?;
    Ok(())
}
