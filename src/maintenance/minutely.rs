//! What is done each minute. Each part stops after a number of chunks and goes on at the next tick, so that none keeps
//! the others waiting for long.

use crate::store::{StoreError, UpkeepStore};

use super::MaintenanceOptions;
use super::chunks::Chunks;

/// How many deliveries are buried in one transaction.
const BURY_AT_ONCE: i64 = 500;
/// How many endpoints that something waits for are looked at in one transaction.
const ENDPOINTS_AT_ONCE: i64 = 500;
/// Rows that are erased in one statement.
const ERASE_AT_ONCE: i64 = 500;
/// How many payloads are expunged in one transaction.
const EXPUNGE_AT_ONCE: i64 = 500;
/// Chunks of one part in one round.
const AT_MOST: u32 = 500;

pub(super) async fn work(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<(), StoreError> {
    let buried = chunks
        .walk(AT_MOST, |after| {
            upkeep.bury_unreachable(options.hold_limit, after, ENDPOINTS_AT_ONCE, BURY_AT_ONCE)
        })
        .await?;
    if buried > 0 {
        tracing::info!(buried, "deliveries that can reach nobody are dead letters now");
    }
    let expunged = chunks.until_nothing(AT_MOST, || upkeep.expunge_expired(EXPUNGE_AT_ONCE)).await?;
    if expunged > 0 {
        tracing::info!(expunged, "payloads whose time is over");
    }
    let erased = chunks.until_nothing(AT_MOST, || upkeep.erase_deleted(ERASE_AT_ONCE)).await?;
    if erased > 0 {
        tracing::info!(erased, "messages and dead letters of deleted applications");
    }
    chunks.until_nothing(AT_MOST, async || upkeep.fold_minutes().await.map(u64::from)).await?;
    Ok(())
}
