//! What is done each hour: partitions, what is left of days that are over, and the rollups of past hours.

use chrono::TimeDelta;

use crate::store::{MaintenanceSession, StoreError, UpkeepStore};

use super::MaintenanceOptions;
use super::chunks::Chunks;

/// Messages that are looked at in one transaction.
const STRAYS_AT_ONCE: i64 = 500;
/// Rows of rollups that are folded in one transaction.
const FOLD_AT_ONCE: i64 = 2_000;
/// Chunks of one part in one round.
const AT_MOST: u32 = 20_000;

pub(super) async fn work(
    upkeep: &UpkeepStore,
    session: &mut MaintenanceSession,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<(), StoreError> {
    let retention = TimeDelta::from_std(options.retention).unwrap_or(TimeDelta::MAX);
    let made = session.make_partitions().await?;
    let folded = chunks.until_nothing(AT_MOST, || upkeep.fold_rollups(FOLD_AT_ONCE)).await?;
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
    chunks.until_nothing(AT_MOST, || upkeep.delete_stray_attempts(until, STRAYS_AT_ONCE)).await?;
    chunks.walk(AT_MOST, |after| upkeep.delete_stray_messages(until, after, STRAYS_AT_ONCE)).await
}
