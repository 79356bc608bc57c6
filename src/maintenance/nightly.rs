//! Deletes, once a night, everything that is past its retention: each kind of thing in chunks.

use std::time::Duration;

use chrono::TimeDelta;

use crate::store::{KeptDeadLetters, StoreError, UpkeepStore};

use super::MaintenanceOptions;
use super::chunks::Chunks;
use super::failures::Failures;

/// Rows that are deleted in one transaction; fewer where rows are large, or are looked up in many tables.
const ROWS_PER_CHUNK: i64 = 1_000;
const LARGE_ROWS_PER_CHUNK: i64 = 200;
/// An inbox has a hundred requests at most.
const INBOXES_PER_CHUNK: i64 = 20;
/// Chunks of one kind in one round that delete something; the next night deletes the rest.
const MAX_CHUNKS: u32 = 100_000;
/// Secrets and headers of deleted endpoints: nothing that was under way at the deletion can need them any more.
const SECRETS_OF_DELETED_KEPT_FOR: Duration = Duration::from_secs(86_400);
/// API keys that were revoked or have expired are listed for this long. The audit log keeps their ids.
const ENDED_API_KEYS_KEPT_FOR: Duration = Duration::from_secs(30 * 86_400);
/// What was sent of alerts, or given up.
const ALERT_NOTICES_KEPT_FOR: Duration = Duration::from_secs(30 * 86_400);

pub(super) async fn run(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<(), StoreError> {
    let results = [
        ("event ids", event_ids(upkeep, options, chunks).await),
        ("dead letters", dead_letters(upkeep, options, chunks).await),
        ("rollups", rollups(upkeep, options, chunks).await),
        ("audit entries", audit_entries(upkeep, options, chunks).await),
        ("background tasks", background_tasks(upkeep, options, chunks).await),
        ("notices", notices(upkeep, options, chunks).await),
        ("alerts", alerts(upkeep, chunks).await),
        ("credentials", credentials(upkeep, chunks).await),
        ("sessions", sessions(upkeep, options, chunks).await),
        ("test inboxes", inboxes(upkeep, chunks).await),
        ("throttles", throttles(upkeep, chunks).await),
        ("endpoints", endpoints(upkeep, options, chunks).await),
        ("applications", applications(upkeep, options, chunks).await),
    ];
    let mut failures = Failures::default();
    for (what, result) in results {
        if let Some(deleted) = failures.note(what, result).filter(|deleted| *deleted > 0) {
            tracing::info!(what, deleted, "past their time");
        }
    }
    failures.first()
}

fn retention(options: MaintenanceOptions) -> TimeDelta {
    TimeDelta::from_std(options.retention).unwrap_or(TimeDelta::MAX)
}

async fn event_ids(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    chunks.walk(MAX_CHUNKS, |after| upkeep.free_event_ids(retention(options), after, ROWS_PER_CHUNK)).await
}

async fn dead_letters(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    let kept =
        KeptDeadLetters { decided: options.dead_letter_retention, open: options.open_dead_letter_retention };
    let bounds = upkeep.dead_letter_bounds(kept).await?;
    let decided = chunks
        .walk(MAX_CHUNKS, |after| {
            upkeep.retire_decided_dead_letters(kept.decided, bounds.decided, after, LARGE_ROWS_PER_CHUNK)
        })
        .await?;
    let Some(bound) = bounds.open else { return Ok(decided) };
    let open = chunks
        .walk(MAX_CHUNKS, |after| {
            upkeep.retire_open_dead_letters(kept.open, bound, after, LARGE_ROWS_PER_CHUNK)
        })
        .await?;
    Ok(decided + open)
}

async fn rollups(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    let hours = chunks.until_nothing(MAX_CHUNKS, || upkeep.delete_old_rollups(ROWS_PER_CHUNK)).await?;
    let minutes = chunks
        .until_nothing(MAX_CHUNKS, || upkeep.delete_old_steps(retention(options), ROWS_PER_CHUNK))
        .await?;
    let states = chunks.until_nothing(MAX_CHUNKS, || upkeep.delete_old_states(ROWS_PER_CHUNK)).await?;
    Ok(hours + minutes + states)
}

async fn audit_entries(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    let kept = TimeDelta::from_std(options.audit_retention).unwrap_or(TimeDelta::MAX);
    chunks.until_nothing(MAX_CHUNKS, || upkeep.delete_audit_entries(kept, ROWS_PER_CHUNK)).await
}

async fn background_tasks(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    let kept = options.task_retention;
    chunks.walk(MAX_CHUNKS, |after| upkeep.retire_tasks(kept, after, LARGE_ROWS_PER_CHUNK)).await
}

async fn notices(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    chunks.until_nothing(MAX_CHUNKS, || upkeep.retire_notices(retention(options), ROWS_PER_CHUNK)).await
}

async fn alerts(upkeep: &UpkeepStore, chunks: Chunks<'_>) -> Result<u64, StoreError> {
    chunks
        .until_nothing(MAX_CHUNKS, || upkeep.retire_alert_notices(ALERT_NOTICES_KEPT_FOR, ROWS_PER_CHUNK))
        .await
}

async fn credentials(upkeep: &UpkeepStore, chunks: Chunks<'_>) -> Result<u64, StoreError> {
    let secrets = chunks.until_nothing(MAX_CHUNKS, || upkeep.retire_secrets(ROWS_PER_CHUNK)).await?;
    let keys = chunks
        .until_nothing(MAX_CHUNKS, || upkeep.retire_api_keys(ENDED_API_KEYS_KEPT_FOR, ROWS_PER_CHUNK))
        .await?;
    let logouts = chunks.until_nothing(MAX_CHUNKS, || upkeep.retire_logouts(ROWS_PER_CHUNK)).await?;
    let cutoffs = chunks.walk(MAX_CHUNKS, |after| upkeep.retire_cutoffs(after, ROWS_PER_CHUNK)).await?;
    Ok(secrets + keys + logouts + cutoffs)
}

async fn sessions(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    let sessions = chunks.until_nothing(MAX_CHUNKS, || upkeep.retire_sessions(ROWS_PER_CHUNK)).await?;
    let links = chunks.until_nothing(MAX_CHUNKS, || upkeep.retire_sign_in_links(ROWS_PER_CHUNK)).await?;
    let kept = options.audit_retention;
    let people =
        chunks.until_nothing(MAX_CHUNKS, || upkeep.retire_people(kept, LARGE_ROWS_PER_CHUNK)).await?;
    Ok(sessions + links + people)
}

async fn throttles(upkeep: &UpkeepStore, chunks: Chunks<'_>) -> Result<u64, StoreError> {
    chunks.until_nothing(MAX_CHUNKS, || upkeep.retire_throttles(ROWS_PER_CHUNK)).await
}

async fn inboxes(upkeep: &UpkeepStore, chunks: Chunks<'_>) -> Result<u64, StoreError> {
    chunks.until_nothing(MAX_CHUNKS, || upkeep.retire_inboxes(INBOXES_PER_CHUNK)).await
}

/// First the secrets and headers of deleted endpoints, then their rows when no other row refers to them.
async fn endpoints(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    let emptied = chunks
        .until_nothing(MAX_CHUNKS, || {
            upkeep.empty_deleted_endpoints(SECRETS_OF_DELETED_KEPT_FOR, LARGE_ROWS_PER_CHUNK)
        })
        .await?;
    let retired = chunks
        .walk(MAX_CHUNKS, |after| upkeep.retire_endpoints(retention(options), after, LARGE_ROWS_PER_CHUNK))
        .await?;
    Ok(emptied + retired)
}

async fn applications(
    upkeep: &UpkeepStore,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<u64, StoreError> {
    let credentials =
        chunks.walk(MAX_CHUNKS, |after| upkeep.retire_credentials_of_deleted(after, ROWS_PER_CHUNK)).await?;
    let retired = chunks
        .walk(MAX_CHUNKS, |after| upkeep.retire_applications(retention(options), after, LARGE_ROWS_PER_CHUNK))
        .await?;
    Ok(credentials + retired)
}
