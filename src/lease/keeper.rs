//! The heart: beats, looks for nodes that have stopped, and comes back after the right was lost.

use std::time::Instant;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::store::{Beat, Store};

use super::{BEAT_EVERY, Lease, LeaseError, TIME_TO_LIVE};

/// Why the keeper ended.
#[derive(Debug, PartialEq, Eq)]
pub enum KeeperEnd {
    /// It was told to.
    Stopped,
    /// Another running process has this node's name.
    NameInUse,
}

/// Keeps the lease until `stop`.
pub async fn keep(lease: Lease, store: Store, stop: CancellationToken) -> KeeperEnd {
    let mut ticks = interval(BEAT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return KeeperEnd::Stopped,
        }
        match beat(&lease, &store).await {
            Ok(()) => {}
            Err(LeaseError::NameInUse(name)) => {
                tracing::error!(%name, "another running node has this name; stopping");
                return KeeperEnd::NameInUse;
            }
            Err(LeaseError::Store(error)) => tracing::warn!(%error, "the heartbeat failed"),
        }
    }
}

async fn beat(lease: &Lease, store: &Store) -> Result<(), LeaseError> {
    let began = Instant::now();
    let epoch = lease.epoch();
    let alive = lease.covers(epoch)
        && store.beat_node(epoch, lease.inner.low_water.lowest()).await? == Beat::Alive
        && lease.extend(began);
    if !alive {
        // Whether it was taken, lapsed or was given up: never go on as if nothing was.
        let released = store.leave_node(epoch).await?;
        let freed = released + lease.rejoin(store).await?;
        tracing::warn!(
            epoch = lease.epoch(),
            freed,
            "the lease was lost; this node came back under a new epoch"
        );
    }
    let freed = store.take_over_stale_nodes(TIME_TO_LIVE).await?;
    if freed > 0 {
        tracing::warn!(freed, "took over the deliveries of a node that stopped");
    }
    Ok(())
}
