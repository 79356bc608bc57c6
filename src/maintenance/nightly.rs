//! The end of everything that grows, once a night: each kind of thing has its time, and goes in chunks.

use std::time::Duration;

use chrono::TimeDelta;

use crate::store::{StoreError, UpkeepStore};

use super::MaintenanceOptions;
use super::chunks::Chunks;

/// Rows at most that are deleted in one transaction. Where rows are large, or are looked up in many tables, fewer.
const AT_ONCE: i64 = 1_000;
const LARGE_AT_ONCE: i64 = 200;
/// Chunks of one kind in one round; the next night goes on.
const AT_MOST: u32 = 100_000;
const DAY: Duration = Duration::from_secs(86_400);
/// Background tasks that ended, with what they found out.
const ENDED_TASKS_KEPT: Duration = Duration::from_secs(30 * 86_400);
/// API keys that were revoked or have expired, so that one can see which. The audit log keeps their ids.
const ENDED_API_KEYS_KEPT: Duration = Duration::from_secs(30 * 86_400);

pub(super) async fn work(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<(), StoreError> {
    let results = [
        ("event ids", event_ids(upkeep, options, chunks).await),
        ("dead letters", dead_letters(upkeep, options, chunks).await),
        ("rollups", rollups(upkeep, chunks).await),
        ("audit entries", audit_entries(upkeep, options, chunks).await),
        ("background tasks", background_tasks(upkeep, chunks).await),
        ("notices", notices(upkeep, options, chunks).await),
        ("credentials", credentials(upkeep, chunks).await),
        ("sessions", sessions(upkeep, options, chunks).await),
        ("endpoints", endpoints(upkeep, options, chunks).await),
        ("applications", applications(upkeep, options, chunks).await),
    ];
    // What failed does not keep the others waiting; the first error is the round's.
    let mut failed = Ok(());
    for (what, result) in results {
        match result {
            Ok(0) => {}
            Ok(deleted) => tracing::info!(what, deleted, "past their time"),
            Err(error) => failed = failed.and(Err(error)),
        }
    }
    failed
}

fn retention(options: MaintenanceOptions) -> TimeDelta {
    TimeDelta::from_std(options.retention).unwrap_or(TimeDelta::MAX)
}

async fn event_ids(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    chunks.until_nothing(AT_MOST, || upkeep.free_event_ids(retention(options), AT_ONCE)).await
}

async fn dead_letters(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    let kept = options.dead_letter_retention;
    chunks.until_nothing(AT_MOST, || upkeep.retire_dead_letters(kept, LARGE_AT_ONCE)).await
}

async fn rollups(upkeep: &UpkeepStore, chunks: Chunks<'_>) -> Result<u64, StoreError> {
    chunks.until_nothing(AT_MOST, || upkeep.delete_old_rollups(AT_ONCE)).await
}

async fn audit_entries(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    let kept = TimeDelta::from_std(options.audit_retention).unwrap_or(TimeDelta::MAX);
    chunks.until_nothing(AT_MOST, || upkeep.delete_audit_entries(kept, AT_ONCE)).await
}

async fn background_tasks(upkeep: &UpkeepStore, chunks: Chunks<'_>) -> Result<u64, StoreError> {
    chunks
        .until_nothing(AT_MOST, || async move {
            let found = upkeep.retire_findings(ENDED_TASKS_KEPT, LARGE_AT_ONCE).await?;
            Ok(found + upkeep.retire_tasks(ENDED_TASKS_KEPT, LARGE_AT_ONCE).await?)
        })
        .await
}

async fn notices(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    chunks.until_nothing(AT_MOST, || upkeep.retire_notices(retention(options), AT_ONCE)).await
}

async fn credentials(upkeep: &UpkeepStore, chunks: Chunks<'_>) -> Result<u64, StoreError> {
    let secrets = chunks.until_nothing(AT_MOST, || upkeep.retire_secrets(AT_ONCE)).await?;
    let keys = chunks.until_nothing(AT_MOST, || upkeep.retire_api_keys(ENDED_API_KEYS_KEPT, AT_ONCE)).await?;
    let logouts = chunks.until_nothing(AT_MOST, || upkeep.retire_logouts(AT_ONCE)).await?;
    let cutoffs = chunks.walk(AT_MOST, |after| upkeep.retire_cutoffs(after, AT_ONCE)).await?;
    Ok(secrets + keys + logouts + cutoffs)
}

async fn sessions(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    let sessions = chunks.until_nothing(AT_MOST, || upkeep.retire_sessions(AT_ONCE)).await?;
    let links = chunks.until_nothing(AT_MOST, || upkeep.retire_sign_in_links(AT_ONCE)).await?;
    let kept = options.audit_retention;
    let people = chunks.until_nothing(AT_MOST, || upkeep.retire_people(kept, LARGE_AT_ONCE)).await?;
    Ok(sessions + links + people)
}

/// Secrets and headers a day after the deletion: nothing that was under way then can need them. Rows when nothing names
/// them any more.
async fn endpoints(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    let emptied =
        chunks.until_nothing(AT_MOST, || upkeep.empty_deleted_endpoints(DAY, LARGE_AT_ONCE)).await?;
    let retired = chunks
        .walk(AT_MOST, |after| upkeep.retire_endpoints(retention(options), after, LARGE_AT_ONCE))
        .await?;
    Ok(emptied + retired)
}

async fn applications(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    let credentials =
        chunks.walk(AT_MOST, |after| upkeep.retire_credentials_of_deleted(after, AT_ONCE)).await?;
    let retired = chunks
        .walk(AT_MOST, |after| upkeep.retire_applications(retention(options), after, LARGE_AT_ONCE))
        .await?;
    Ok(credentials + retired)
}
