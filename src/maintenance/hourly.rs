//! What is done each hour: partitions, what is past the retention of its application, and the rollups of past hours.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::store::{MaintenanceSession, StoreError, UpkeepStore};

use super::MaintenanceOptions;
use super::chunks::Chunks;

/// Messages, or attempts, that are looked at in one transaction.
const MESSAGES_PER_CHUNK: i64 = 500;
/// Applications, or endpoints, that are looked for in one statement.
const OWNERS_PER_CHUNK: i64 = 100;
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
    let bound = upkeep.shortest_retention_until(retention).await?;
    let messages = delete_messages(upkeep, retention, bound, chunks).await?;
    let attempts = delete_attempts(upkeep, retention, bound, chunks).await?;
    if made > 0 || !dropped.is_empty() || messages > 0 || attempts > 0 {
        tracing::info!(made, dropped = dropped.join(" "), messages, attempts, "partitions and retention");
    }
    Ok(())
}

/// Messages that are past what their application keeps, and did not go with their day.
async fn delete_messages(
    upkeep: &UpkeepStore,
    retention: TimeDelta,
    bound: DateTime<Utc>,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    let (mut deleted, mut after) = (0, Uuid::nil());
    loop {
        let found = upkeep.applications_past_retention(retention, bound, after, OWNERS_PER_CHUNK).await?;
        let Some(last) = found.last().map(|application| application.id) else { return Ok(deleted) };
        for application in found {
            if chunks.stop.is_cancelled() {
                return Ok(deleted);
            }
            deleted += chunks
                .walk(MAX_CHUNKS, |after| upkeep.delete_messages_of(application, after, MESSAGES_PER_CHUNK))
                .await?;
        }
        if chunks.pause().await {
            return Ok(deleted);
        }
        after = last;
    }
}

/// The same of attempts, which go by their own age.
async fn delete_attempts(
    upkeep: &UpkeepStore,
    retention: TimeDelta,
    bound: DateTime<Utc>,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    let (mut deleted, mut after) = (0, Uuid::nil());
    loop {
        let found = upkeep.endpoints_past_retention(retention, bound, after, OWNERS_PER_CHUNK).await?;
        let Some(last) = found.last().map(|endpoint| endpoint.id) else { return Ok(deleted) };
        for endpoint in found {
            if chunks.stop.is_cancelled() {
                return Ok(deleted);
            }
            deleted += chunks
                .until_nothing(MAX_CHUNKS, || upkeep.delete_attempts_at(endpoint, MESSAGES_PER_CHUNK))
                .await?;
        }
        if chunks.pause().await {
            return Ok(deleted);
        }
        after = last;
    }
}
