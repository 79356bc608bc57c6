//! Partitions are made ahead and dropped behind, each by itself.

use chrono::TimeDelta;

use crate::store::{MaintenanceSession, Partition};

use super::failures::Failures;

/// When so many partitions of a table have failed, its others are left to the next round: whoever waits for a lock that is
/// not to be had keeps everybody waiting behind it.
const MAX_FAILED_OF_TABLE: usize = 3;

/// Makes those that are missing. Returns how many were made.
pub(super) async fn make(session: &mut MaintenanceSession, failures: &mut Failures) -> u64 {
    let mut made = 0;
    let mut failed = Vec::new();
    let missing = failures.note("missing partitions", session.missing_partitions().await);
    for partition in missing.into_iter().flatten() {
        if is_given_up(&partition, &failed) {
            continue;
        }
        match failures.note("making a partition", session.make_partition(&partition).await) {
            Some(is_new) => made += u64::from(is_new),
            None => failed.push(partition),
        }
    }
    made
}

/// Drops those that are past their retention. Returns the names of what was dropped.
pub(super) async fn drop_past(
    session: &mut MaintenanceSession,
    retention: TimeDelta,
    failures: &mut Failures,
) -> Vec<String> {
    let mut dropped = Vec::new();
    let mut failed = Vec::new();
    let past = failures.note("partitions past retention", session.partitions_past(retention).await);
    for partition in past.into_iter().flatten() {
        if is_given_up(&partition, &failed) {
            continue;
        }
        match failures.note("dropping a partition", session.drop_partition(&partition).await) {
            Some(names) => dropped.extend(names),
            None => failed.push(partition),
        }
    }
    dropped
}

fn is_given_up(partition: &Partition, failed: &[Partition]) -> bool {
    let of_table = failed.iter().filter(|other| other.table() == partition.table());
    of_table.count() >= MAX_FAILED_OF_TABLE
}
