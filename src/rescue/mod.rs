//! Finds what nobody works on, and puts it back into the queue.
//!
//! Who works on a delivery is written in the database, and the process that is named there has to hold it in memory. This
//! net does not trust the code that keeps the two in step. It looks at the rows themselves, and asks of each that names
//! this node whether it is in memory. What is not goes back, is counted, and is an error in the log: somewhere a
//! delivery was dropped.
//!
//! Two looks go on side by side. One follows the low-water mark: only what was looked at and found free of this node's
//! deliveries may lie below the mark that heartbeats carry, so that whoever takes this node over misses nothing. The
//! other goes round through everything that is stored, at a steady pace.

mod rounds;

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::id::{EndpointId, MessageId};
use crate::lease::Lease;
use crate::store::{DeliveryKey, QueueStore, StoreError};
use crate::vitals::Vitals;

use rounds::Rounds;

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// Deliveries that one statement looks at.
const CHUNK: i64 = 5_000;
/// Chunks of the round through everything that one look goes on by.
const ROUND_CHUNKS: usize = 4;
/// A claim whose answer is under way is not lost. After this long it is.
const CLAIM_LOST_AFTER: Duration = Duration::from_secs(8);

/// The net.
pub struct Rescue {
    queue: QueueStore,
    lease: Lease,
    vitals: Vitals,
    /// How long a claim holds, as the claimer makes them.
    claim_lease: Duration,
    rounds: Rounds,
}

impl Rescue {
    /// A net for what this node may hold.
    pub fn new(queue: QueueStore, lease: Lease, vitals: Vitals, claim_lease: Duration) -> Self {
        Self { queue, lease, vitals, claim_lease, rounds: Rounds::default() }
    }

    /// Looks until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
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
            self.vitals.rescues.begin();
            match self.look(epoch).await {
                Ok(()) => self.vitals.rescues.done(),
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the search for deliveries that nobody works on waits"
                ),
            }
        }
    }

    async fn look(&mut self, epoch: i64) -> Result<(), StoreError> {
        self.release_lost_claims(epoch).await?;
        self.follow_low_water(epoch).await?;
        self.go_round(epoch).await
    }

    /// Looks at everything between what was verified and what is held, and raises the mark.
    async fn follow_low_water(&self, epoch: i64) -> Result<(), StoreError> {
        // Read before the look: what is begun later is above it.
        let mark = self.lease.low_water().lowest();
        let mut after = before(self.lease.verified());
        loop {
            let look = self.queue.scan_for_lost(epoch, after, mark, CHUNK).await?;
            self.put_back(epoch, look.owned, look.lost).await?;
            match look.last {
                Some(last) => after = last,
                None => break,
            }
        }
        self.lease.verify(epoch, mark);
        Ok(())
    }

    /// Goes on with the round through everything.
    async fn go_round(&mut self, epoch: i64) -> Result<(), StoreError> {
        for _ in 0..ROUND_CHUNKS {
            let Some(after) = self.rounds.place() else { return Ok(()) };
            let look = self.queue.scan_for_lost(epoch, after, LAST, CHUNK).await?;
            self.rounds.went_to(look.last);
            self.put_back(epoch, look.owned, look.lost).await?;
        }
        Ok(())
    }

    async fn put_back(
        &self,
        epoch: i64,
        owned: Vec<DeliveryKey>,
        mut lost: Vec<DeliveryKey>,
    ) -> Result<(), StoreError> {
        // Asked after the rows were read: what is in memory now may have been recorded since, which the statement sees.
        lost.extend(owned.into_iter().filter(|(message, _)| !self.lease.low_water().holds(*message)));
        for lost in lost.chunks(500) {
            let count = self.queue.put_back_lost(epoch, lost).await?;
            if count > 0 {
                self.found(count, "deliveries that nobody worked on are in the queue again");
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
        let lost: Vec<_> = claims.into_iter().filter(|claim| !self.lease.claims().holds(claim)).collect();
        for lost in lost.chunks(500) {
            let count = self.queue.release_claims(epoch, lost).await?;
            if count > 0 {
                self.found(count, "claims whose answer was lost are released");
                let endpoints: Vec<EndpointId> = lost.iter().map(|(_, endpoint, _)| *endpoint).collect();
                self.queue.announce_due(&endpoints).await?;
            }
        }
        Ok(())
    }

    fn found(&self, count: u64, what: &str) {
        self.vitals.rescued(count);
        tracing::error!(count, "{what}");
    }
}

/// A key below all of the deliveries of messages from `mark` on.
fn before(mark: MessageId) -> DeliveryKey {
    (mark, EndpointId::from(uuid::Uuid::nil()))
}

/// Greater than every message's id.
const LAST: MessageId = MessageId::LAST;
