//! What is done each minute. Each part stops after a number of chunks and goes on in the next minute, so that no part delays
//! the others for long.

use chrono::{DateTime, Utc};

use crate::store::{StoreError, UpkeepStore};
use crate::telemetry::metrics;

use super::chunks::Chunks;
use super::{MaintenanceOptions, erase, failing};

/// How many deliveries are buried in one transaction.
const BURIED_PER_CHUNK: i64 = 500;
/// How many endpoints with waiting deliveries are checked in one transaction.
const ENDPOINTS_PER_CHUNK: i64 = 500;
/// How many payloads are expunged in one transaction.
const EXPUNGED_PER_CHUNK: i64 = 500;
/// Chunks of one part in one round.
const MAX_CHUNKS: u32 = 500;

pub(super) async fn run(
    upkeep: &UpkeepStore,
    last_begun_at: Option<DateTime<Utc>>,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<(), StoreError> {
    failing::tell_failing(upkeep, last_begun_at).await?;
    let buried = chunks
        .walk(MAX_CHUNKS, async |after| {
            let chunk = upkeep
                .bury_unreachable(options.hold_limit, after, ENDPOINTS_PER_CHUNK, BURIED_PER_CHUNK)
                .await?;
            metrics::current().died_by_maintenance.increment(chunk.done);
            Ok::<_, StoreError>(chunk)
        })
        .await?;
    if buried > 0 {
        tracing::info!(buried, "deliveries that can reach nobody are dead letters now");
    }
    let expunged = chunks.until_nothing(MAX_CHUNKS, || upkeep.expunge_expired(EXPUNGED_PER_CHUNK)).await?;
    if expunged > 0 {
        tracing::info!(expunged, "payloads whose time is over");
    }
    erase::erase_deleted(upkeep, chunks).await?;
    chunks.until_nothing(MAX_CHUNKS, async || upkeep.fold_steps().await.map(u64::from)).await?;
    Ok(())
}
