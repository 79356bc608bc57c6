//! Finds deliveries that nobody works on, and puts them back into the queue.
//!
//! The database says which node works on a delivery, and that node's process has to hold it in memory. The rescuer does not
//! rely on the code that keeps the two in step: it reads the rows, and checks of each that names this node whether it is in
//! memory. What is not goes back into the queue, is counted, and is an error in the log, because a delivery was dropped
//! somewhere.
//!
//! Two searches go on side by side. One follows the low-water mark: a heartbeat carries a mark only after everything below
//! it was read and none of it was this node's, so that whoever takes this node over misses nothing. The other scans
//! everything that is stored, at a steady pace.

mod full_scan;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::id::{EndpointId, MessageId};
use crate::lease::Lease;
use crate::node_health::NodeHealth;
use crate::store::{DeliveryKey, QueueStore, StoreError};

use full_scan::FullScan;

/// How often it searches.
const SEARCH_INTERVAL: Duration = Duration::from_secs(3);
/// Deliveries that one statement reads.
const ROWS_PER_READ: i64 = 5_000;
/// Statements by which one search goes on with the scan of everything.
const SCAN_READS_PER_SEARCH: usize = 4;
/// Deliveries that one statement puts back, or claims that it releases.
const ROWS_PER_WRITE: usize = 500;
/// A claim that is this old and not in memory is lost: its answer cannot be under way any more.
const CLAIM_LOST_AFTER: Duration = Duration::from_secs(8);

/// Searches for lost deliveries.
pub struct Rescuer {
    queue: QueueStore,
    lease: Lease,
    health: NodeHealth,
    /// How long a claim's lease is, as claims are made.
    claim_lease: Duration,
    full_scan: FullScan,
}

impl Rescuer {
    /// Searches on behalf of the node of this lease.
    pub fn new(queue: QueueStore, lease: Lease, health: NodeHealth, claim_lease: Duration) -> Self {
        Self { queue, lease, health, claim_lease, full_scan: FullScan::default() }
    }

    /// Searches until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(SEARCH_INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            let epoch = self.lease.epoch();
            if !self.lease.covers(epoch) {
                continue;
            }
            self.health.rescues.begin();
            match self.search(epoch).await {
                Ok(()) => self.health.rescues.done(),
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the search for deliveries that nobody works on waits"
                ),
            }
        }
    }

    async fn search(&mut self, epoch: i64) -> Result<(), StoreError> {
        self.release_lost_claims(epoch).await?;
        self.advance_verified_mark(epoch).await?;
        self.advance_full_scan(epoch).await
    }

    /// Reads everything between the verified mark and the oldest message in memory, and raises the verified mark.
    async fn advance_verified_mark(&self, epoch: i64) -> Result<(), StoreError> {
        // Taken before the rows are read: messages that begin later have greater ids.
        let mark = self.lease.held_messages().low_water_mark();
        let mut after = before(self.lease.verified_mark());
        loop {
            let found = self.queue.scan_for_lost(epoch, after, mark, ROWS_PER_READ).await?;
            self.put_back(epoch, found.owned, found.lost).await?;
            match found.last {
                Some(last) => after = last,
                None => break,
            }
        }
        self.lease.set_verified_mark(epoch, mark);
        Ok(())
    }

    /// Goes on with the scan of everything.
    async fn advance_full_scan(&mut self, epoch: i64) -> Result<(), StoreError> {
        for _ in 0..SCAN_READS_PER_SEARCH {
            let Some(after) = self.full_scan.position() else { return Ok(()) };
            let found = self.queue.scan_for_lost(epoch, after, MessageId::LAST, ROWS_PER_READ).await?;
            self.full_scan.advance(found.last);
            self.put_back(epoch, found.owned, found.lost).await?;
        }
        Ok(())
    }

    async fn put_back(
        &self,
        epoch: i64,
        owned: Vec<DeliveryKey>,
        mut lost: Vec<DeliveryKey>,
    ) -> Result<(), StoreError> {
        // Memory is asked after the rows were read. What has left it in between was recorded, which the statement sees.
        lost.extend(owned.into_iter().filter(|(message, _)| !self.lease.held_messages().holds(*message)));
        for lost in lost.chunks(ROWS_PER_WRITE) {
            let count = self.queue.put_back_lost(epoch, lost).await?;
            if count > 0 {
                self.report(count, "deliveries that nobody worked on are in the queue again");
                let mut endpoints: Vec<EndpointId> = lost.iter().map(|(_, endpoint)| *endpoint).collect();
                endpoints.sort_unstable();
                endpoints.dedup();
                self.queue.announce_due(&endpoints).await?;
            }
        }
        Ok(())
    }

    /// Releases the claims that this node made and does not hold: their answer was lost.
    async fn release_lost_claims(&self, epoch: i64) -> Result<(), StoreError> {
        let age = CLAIM_LOST_AFTER.as_secs_f64();
        let claims = self.queue.claims_of(epoch, self.claim_lease, age).await?;
        let lost: Vec<_> =
            claims.into_iter().filter(|claim| !self.lease.held_claims().holds(claim)).collect();
        for lost in lost.chunks(ROWS_PER_WRITE) {
            let count = self.queue.release_claims(epoch, lost).await?;
            if count > 0 {
                self.report(count, "claims whose answer was lost are released");
                let endpoints: Vec<EndpointId> = lost.iter().map(|(_, endpoint, _)| *endpoint).collect();
                self.queue.announce_due(&endpoints).await?;
            }
        }
        Ok(())
    }

    fn report(&self, count: u64, what: &str) {
        self.health.add_rescued(count);
        tracing::error!(count, "{what}");
    }
}

/// A key below those of all deliveries of messages from `mark` on.
fn before(mark: MessageId) -> DeliveryKey {
    (mark, EndpointId::from(uuid::Uuid::nil()))
}
