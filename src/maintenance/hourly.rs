//! What is done each hour: partitions, what is left of days that are over, and the rollups of past hours.

use chrono::TimeDelta;

use crate::store::{MaintenanceSession, StoreError, UpkeepStore};

use super::MaintenanceOptions;
use super::chunks::Chunks;

/// Messages that are looked at in one transaction.
const MESSAGES_PER_CHUNK: i64 = 500;
/// Rows of rollups that are folded in one transaction.
const ROLLUPS_PER_CHUNK: i64 = 2_000;
/// Chunks of one part in one round.
const MAX_CHUNKS: u32 = 20_000;

pub(super) async fn run(
    upkeep: &UpkeepStore,
    session: &mut MaintenanceSession,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<(), StoreError> {
    let retention = TimeDelta::from_std(options.retention).unwrap_or(TimeDelta::MAX);
    let made = session.make_partitions().await?;
    let folded = chunks.until_nothing(MAX_CHUNKS, || upkeep.fold_rollups(ROLLUPS_PER_CHUNK)).await?;
    tracing::debug!(folded, "rollups of past hours");
    let dropped = session.drop_partitions(retention).await?;
    let strays = delete_strays(upkeep, retention, chunks).await?;
    if made > 0 || !dropped.is_empty() || strays > 0 {
        tracing::info!(made, dropped = dropped.join(" "), strays, "partitions");
    }
    Ok(())
}

/// What is past retention and was not dropped with its day.
async fn delete_strays(
    upkeep: &UpkeepStore,
    retention: TimeDelta,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    let until = upkeep.whole_days_until(retention).await?;
    chunks.until_nothing(MAX_CHUNKS, || upkeep.delete_stray_attempts(until, MESSAGES_PER_CHUNK)).await?;
    chunks.walk(MAX_CHUNKS, |after| upkeep.delete_stray_messages(until, after, MESSAGES_PER_CHUNK)).await
}
