//! The way back into the queue for what this node has and will not send now. Whoever gives something back does not wait:
//! it is kept here, with its place in memory and its marks, until the database has it or until the epoch that it was
//! taken under is over, which frees it as well. Nothing that is cancelled half-way can lose it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::domain::id::EndpointId;
use crate::lease::{HeldClaim, Lease, Mark};
use crate::record::Agenda;
use crate::store::{HandBack, QueueStore, StoreError};
use crate::vitals::Progress;

use super::Room;

/// Deliveries that go back in one statement.
const AT_ONCE: usize = 500;
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const LONGEST_BACKOFF: Duration = Duration::from_millis(500);

/// A delivery on its way back.
pub(super) struct Return {
    pub(super) epoch: i64,
    pub(super) row: HandBack,
    pub(super) _keep: Keep,
    /// Claiming it again is put off by this much, unless a sweep finds it before.
    pub(super) again_after: Duration,
}

/// What a delivery on its way back holds on to.
#[derive(Debug)]
#[expect(dead_code, reason = "what is kept is never read, only dropped")]
pub(super) enum Keep {
    /// Its place in memory, with its mark or its claim.
    Room(Room),
    /// The mark of its message.
    Mark(Arc<Mark>),
    /// The claim on its row.
    Claim(HeldClaim),
}

/// The way in.
pub(super) struct Returns {
    way: StdMutex<Option<mpsc::UnboundedSender<Return>>>,
}

/// The task at its end.
pub(super) struct Returning {
    way: mpsc::UnboundedReceiver<Return>,
    queue: QueueStore,
    lease: Lease,
    agenda: Agenda,
    progress: Progress,
}

impl Returns {
    /// A way back, and what works at its end. It is bounded by the memory that deliveries hold.
    pub(super) fn new(
        queue: QueueStore,
        lease: Lease,
        agenda: Agenda,
        progress: Progress,
    ) -> (Self, Returning) {
        let (way, end) = mpsc::unbounded_channel();
        (Self { way: StdMutex::new(Some(way)) }, Returning { way: end, queue, lease, agenda, progress })
    }

    /// Takes a delivery back.
    pub(super) fn add(&self, one: Return) {
        let sent = self.way().as_ref().is_some_and(|way| way.send(one).is_ok());
        if !sent {
            tracing::warn!(
                "a delivery came back after the way into the queue was closed; it is freed by others"
            );
        }
    }

    /// Takes nothing more; what came before still goes back.
    pub(super) fn close(&self) {
        self.way().take();
    }

    fn way(&self) -> MutexGuard<'_, Option<mpsc::UnboundedSender<Return>>> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Returning {
    /// Works until the way is closed and everything is back.
    pub(super) async fn run(mut self) {
        let mut batch = Vec::new();
        while self.way.recv_many(&mut batch, AT_ONCE).await > 0 {
            // Those of a former epoch may be among them, and each goes back under its own.
            let mut by_epoch: BTreeMap<i64, Vec<Return>> = BTreeMap::new();
            for one in batch.drain(..) {
                by_epoch.entry(one.epoch).or_default().push(one);
            }
            for (epoch, rows) in by_epoch {
                self.progress.begin();
                self.hand_back(epoch, rows).await;
                self.progress.done();
            }
        }
    }

    async fn hand_back(&self, epoch: i64, batch: Vec<Return>) {
        let rows: Vec<HandBack> = batch.iter().map(|one| one.row).collect();
        let mut backoff = FIRST_BACKOFF;
        loop {
            match self.queue.hand_back(epoch, &rows).await {
                Ok(()) => break,
                Err(StoreError::Unavailable(error)) if self.lease.covers(epoch) => {
                    tracing::warn!(%error, deliveries = rows.len(), "deliveries wait to be handed back");
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(LONGEST_BACKOFF);
                }
                Err(StoreError::Unavailable(_)) => {
                    tracing::info!(
                        deliveries = rows.len(),
                        "the epoch is over, and its end frees these deliveries"
                    );
                    break;
                }
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        deliveries = rows.len(),
                        "deliveries cannot be handed back; the net finds them"
                    );
                    break;
                }
            }
        }
        let now = Instant::now();
        let mut due: Vec<(EndpointId, Duration)> = batch
            .iter()
            .filter(|one| !one.row.held)
            .map(|one| (one.row.endpoint_id, one.again_after))
            .collect();
        due.dedup();
        due.into_iter().for_each(|(endpoint, wait)| self.agenda.schedule_by(endpoint, now + wait));
    }
}
