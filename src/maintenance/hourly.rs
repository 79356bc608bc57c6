//! What is done each hour: partitions, what is past the retention of its application, and the rollups of past hours.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::store::{MaintenanceSession, PastRetention, StoreError, UpkeepStore};

use super::MaintenanceOptions;
use super::chunks::Chunks;
use super::failures::Failures;
use super::partitions;

/// Messages, or attempts, that are looked at in one transaction.
const MESSAGES_PER_CHUNK: i64 = 500;
/// Applications, or endpoints, that are looked for in one statement.
const OWNERS_PER_CHUNK: i64 = 100;
/// Rows of rollups that are folded, or keys that are deleted, in one transaction.
const ROWS_PER_CHUNK: i64 = 2_000;
/// Chunks of one part in one round that do something.
const MAX_CHUNKS: u32 = 20_000;
/// When so many applications, or endpoints, have failed, the others are left to the next round.
const MAX_FAILED_OWNERS: u32 = 10;
/// Answered keys are honoured for half of that.
const IDEMPOTENCY_KEYS_KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) async fn run(
    upkeep: &UpkeepStore,
    session: &mut MaintenanceSession,
    options: MaintenanceOptions,
    chunks: Chunks<'_>,
) -> Result<(), StoreError> {
    let retention = TimeDelta::from_std(options.retention).unwrap_or(TimeDelta::MAX);
    let mut failures = Failures::default();
    let made = partitions::make(session, &mut failures).await;
    let folded = chunks.until_nothing(MAX_CHUNKS, || upkeep.fold_rollups(ROWS_PER_CHUNK)).await;
    if let Some(folded) = failures.note("rollups", folded) {
        tracing::debug!(folded, "rollups of past hours");
    }
    let dropped = partitions::drop_past(session, retention, &mut failures).await;
    let keys = chunks.until_nothing(MAX_CHUNKS, || {
        upkeep.retire_keys_outside_slots(IDEMPOTENCY_KEYS_KEPT_FOR, ROWS_PER_CHUNK)
    });
    let keys = failures.note("idempotency keys", keys.await).unwrap_or(0);
    let (mut messages, mut attempts) = (0, 0);
    let bound = upkeep.shortest_retention_until(retention).await;
    if let Some(bound) = failures.note("the shortest retention", bound) {
        messages = delete_messages(upkeep, retention, bound, chunks, &mut failures).await;
        attempts = delete_attempts(upkeep, retention, bound, chunks, &mut failures).await;
    }
    if made > 0 || !dropped.is_empty() || keys > 0 || messages > 0 || attempts > 0 {
        let dropped = dropped.join(" ");
        tracing::info!(made, dropped, keys, messages, attempts, "partitions and retention");
    }
    failures.first()
}

/// Messages that are past what their application keeps, and did not go with their day. Returns how many went.
async fn delete_messages(
    upkeep: &UpkeepStore,
    retention: TimeDelta,
    bound: DateTime<Utc>,
    chunks: Chunks<'_>,
    failures: &mut Failures,
) -> u64 {
    let find = |after| upkeep.applications_past_retention(retention, bound, after, OWNERS_PER_CHUNK);
    let delete = |application| {
        chunks
            .walk(MAX_CHUNKS, move |after| upkeep.delete_messages_of(application, after, MESSAGES_PER_CHUNK))
    };
    let (deleted, result) = delete_of_owners("messages past retention", find, delete, chunks).await;
    failures.note("messages past retention", result);
    deleted
}

/// The same of attempts, which go by their own age.
async fn delete_attempts(
    upkeep: &UpkeepStore,
    retention: TimeDelta,
    bound: DateTime<Utc>,
    chunks: Chunks<'_>,
    failures: &mut Failures,
) -> u64 {
    let find = |after| upkeep.endpoints_past_retention(retention, bound, after, OWNERS_PER_CHUNK);
    let delete = |endpoint| {
        chunks.until_nothing(MAX_CHUNKS, move || upkeep.delete_attempts_at(endpoint, MESSAGES_PER_CHUNK))
    };
    let (deleted, result) = delete_of_owners("attempts past retention", find, delete, chunks).await;
    failures.note("attempts past retention", result);
    deleted
}

/// Goes through the owners that `find` finds after an id, each by itself. Returns how much went, and the first error.
async fn delete_of_owners<F, D>(
    what: &'static str,
    find: impl Fn(Uuid) -> F,
    delete: impl Fn(PastRetention) -> D,
    chunks: Chunks<'_>,
) -> (u64, Result<(), StoreError>)
where
    F: Future<Output = Result<Vec<PastRetention>, StoreError>>,
    D: Future<Output = Result<u64, StoreError>>,
{
    let mut failures = Failures::default();
    let (mut deleted, mut after) = (0, Uuid::nil());
    loop {
        let found = failures.note(what, find(after).await).unwrap_or_default();
        let Some(last) = found.last().map(|last| last.id) else { break };
        for owner in found {
            if chunks.stop.is_cancelled() || failures.are(MAX_FAILED_OWNERS) {
                break;
            }
            deleted += failures.note(what, delete(owner).await).unwrap_or(0);
        }
        if failures.are(MAX_FAILED_OWNERS) || chunks.pause().await {
            break;
        }
        after = last;
    }
    (deleted, failures.first())
}
