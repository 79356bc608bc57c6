//! What is done each minute. Each part stops after a number of chunks and goes on in the next minute, so that no part delays
//! the others for long.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::{StoreError, UpkeepStore};
use crate::telemetry::metrics;

use super::chunks::Chunks;
use super::failures::Failures;
use super::{MaintenanceOptions, erase, failing};

/// How many deliveries are buried in one transaction.
const BURIED_PER_CHUNK: i64 = 500;
/// How many endpoints with waiting deliveries are checked in one transaction.
const ENDPOINTS_PER_CHUNK: i64 = 500;
/// How many payloads are expunged in one transaction.
const EXPUNGED_PER_CHUNK: i64 = 500;
/// Chunks of one part in one round that do something.
const MAX_CHUNKS: u32 = 500;

pub(super) async fn run(
    upkeep: &UpkeepStore,
    last_begun_at: Option<DateTime<Utc>>,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<(), StoreError> {
    let mut failures = Failures::default();
    failures.note("receivers that fail", failing::tell_failing(upkeep, last_begun_at).await);
    let buried = failures.note("burial", bury(upkeep, options, chunks).await);
    if let Some(buried) = buried.filter(|count| *count > 0) {
        tracing::info!(buried, "deliveries that can reach nobody are dead letters now");
    }
    let expunged = chunks.until_nothing(MAX_CHUNKS, || upkeep.expunge_expired(EXPUNGED_PER_CHUNK)).await;
    if let Some(expunged) = failures.note("payloads", expunged).filter(|count| *count > 0) {
        tracing::info!(expunged, "payloads whose time is over");
    }
    failures.note("erasure", erase::erase_deleted(upkeep, chunks).await);
    let folded = chunks.until_nothing(MAX_CHUNKS, async || upkeep.fold_steps().await.map(u64::from)).await;
    failures.note("rollups", folded);
    failures.first()
}

async fn bury(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    chunks
        .walk(MAX_CHUNKS, async |after: Uuid| {
            let chunk = upkeep
                .bury_unreachable(options.hold_limit, after, ENDPOINTS_PER_CHUNK, BURIED_PER_CHUNK)
                .await?;
            metrics::current().died_by_maintenance.increment(chunk.done);
            Ok::<_, StoreError>(chunk)
        })
        .await
}
