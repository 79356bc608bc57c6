//! Keeps the lease: writes down that this node lives, looks for nodes that have stopped, and comes back under a new epoch
//! after the right was lost.
//!
//! It runs on threads of its own, and each of its statements has a short limit, so that neither a busy node nor a silent
//! connection is taken for a dead one.

use std::time::Instant;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::store::{Beat, QueueStore};
use crate::vitals::Vitals;

use super::{BEAT_EVERY, Lease, LeaseError, TIME_TO_LIVE};

/// Why the keeper ended.
#[derive(Debug, PartialEq, Eq)]
pub enum KeeperEnd {
    /// It was told to.
    Stopped,
    /// Another running process has this node's name.
    NameInUse,
}

/// Keeps the lease until `stop`. Each heartbeat has a number, by which this node knows it when it hears it.
pub async fn keep(
    lease: Lease,
    queue: QueueStore,
    vitals: Vitals,
    numbers: impl Fn() -> i64,
    stop: CancellationToken,
) -> KeeperEnd {
    let mut ticks = interval(BEAT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return KeeperEnd::Stopped,
        }
        vitals.heartbeat.begin();
        match beat(&lease, &queue, numbers()).await {
            Ok(()) => vitals.heartbeat.done(),
            Err(LeaseError::NameInUse(name)) => {
                tracing::error!(%name, "another running node has this name; stopping");
                return KeeperEnd::NameInUse;
            }
            Err(LeaseError::Store(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the heartbeat failed");
            }
        }
    }
}

async fn beat(lease: &Lease, queue: &QueueStore, number: i64) -> Result<(), LeaseError> {
    let began = Instant::now();
    let epoch = lease.epoch();
    let mark = lease.verified();
    let alive = lease.covers(epoch)
        && queue.beat_node(epoch, mark, number).await? == Beat::Alive
        && lease.extend(began);
    if !alive {
        // Whether it was taken, lapsed or was given up: never go on as if nothing was.
        let released = queue.take_over_node(epoch).await?;
        let freed = released + lease.rejoin(queue).await?;
        tracing::warn!(
            epoch = lease.epoch(),
            freed,
            "the lease was lost; this node came back under a new epoch"
        );
    }
    let freed = queue.take_over_stale_nodes(TIME_TO_LIVE, lease.name()).await?;
    if freed > 0 {
        tracing::warn!(freed, "took over the deliveries of a node that stopped");
    }
    Ok(())
}
