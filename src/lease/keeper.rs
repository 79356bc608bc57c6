//! Keeps the lease: writes heartbeats, takes over nodes that have stopped, and comes back under a new epoch after the right
//! was lost.
//!
//! It runs on the critical threads, and each of its statements has a short limit, so that neither a busy node nor a silent
//! connection is taken for a dead node.

use std::time::Instant;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::node_health::NodeHealth;
use crate::store::{Beat, QueueStore};
use crate::telemetry::metrics;

use super::{HEARTBEAT_INTERVAL, Lease, LeaseError, NODE_TIME_TO_LIVE};

/// Why the keeper ended.
#[derive(Debug, PartialEq, Eq)]
pub enum KeeperEnd {
    /// It was told to.
    Stopped,
    /// Another running process has this node's name.
    NameInUse,
}

/// Keeps the lease until `stop`. Each heartbeat has a number, so that this node recognizes its notice.
pub async fn run_keeper(
    lease: Lease,
    queue: QueueStore,
    health: NodeHealth,
    next_number: impl Fn() -> i64,
    stop: CancellationToken,
) -> KeeperEnd {
    let mut ticks = interval(HEARTBEAT_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return KeeperEnd::Stopped,
        }
        health.heartbeat.begin();
        match heartbeat(&lease, &queue, next_number()).await {
            Ok(()) => health.heartbeat.done(),
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

async fn heartbeat(lease: &Lease, queue: &QueueStore, number: i64) -> Result<(), LeaseError> {
    let began = Instant::now();
    let epoch = lease.epoch();
    let mark = lease.verified_mark();
    let alive = lease.covers(epoch)
        && queue.beat_node(epoch, mark, number).await? == Beat::Alive
        && lease.extend(began);
    if !alive {
        // Another node took it, or it ended, or it was given up. In each case only a new epoch may go on.
        let released = queue.take_over_node(epoch).await?;
        let freed = released + lease.rejoin(queue).await?;
        metrics::current().leases_lost.increment(1);
        tracing::warn!(
            epoch = lease.epoch(),
            freed,
            "the lease was lost; this node came back under a new epoch"
        );
    }
    let freed = queue.take_over_stale_nodes(NODE_TIME_TO_LIVE, lease.name()).await?;
    if freed > 0 {
        metrics::current().takeovers.increment(1);
        metrics::current().taken_over.increment(freed);
        tracing::warn!(freed, "took over the deliveries of a node that stopped");
    }
    Ok(())
}
