//! The way back into the queue for what this node has and will not send now. Handing something back never waits:
//! it is kept here, with what it holds, until the database has it or until the epoch that it was taken under is
//! over, which frees it as well. So a task that is cancelled half-way loses nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

use crate::domain::id::{ApplicationId, EndpointId};
use crate::domain::message::Message;
use crate::lease::{ClaimGuard, Lease, MessageGuard};
use crate::node_health::Progress;
use crate::record::ClaimSchedule;
use crate::store::{DeliveryKey, HandBack, QueueStore, StoreError};
use crate::telemetry::metrics;

use super::{Delivery, DeliveryGuards, Dispatcher};

/// Deliveries that go back in one statement.
const MAX_BATCH: usize = 500;
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_millis(500);

/// A delivery on its way back.
pub(super) struct HandBackItem {
    epoch: i64,
    row: HandBack,
    _guard: Guard,
    /// Claiming it again is put off by this much, unless a sweep finds it before.
    claim_after: Duration,
    /// Another node sends it, and is told.
    for_another_node: bool,
}

/// What is freed when a delivery is back.
#[derive(Debug)]
#[expect(dead_code, reason = "guards are never read, only dropped")]
pub(super) enum Guard {
    /// Of a delivery in a lane: its memory, with its message or its claim.
    Delivery(DeliveryGuards),
    /// Keeps the low-water mark at or below its message.
    Message(Arc<MessageGuard>),
    /// The claim on its row.
    Claim(ClaimGuard),
}

/// Takes deliveries that go back.
pub(super) struct HandBackQueue {
    sender: Mutex<Option<mpsc::UnboundedSender<HandBackItem>>>,
}

/// Writes them to the database.
pub(super) struct HandBackWriter {
    receiver: mpsc::UnboundedReceiver<HandBackItem>,
    queue: QueueStore,
    lease: Lease,
    claim_schedule: ClaimSchedule,
    progress: Progress,
}

impl HandBackItem {
    /// A delivery that is due at once, owned under `epoch`. `lease` is that of its row, if it was claimed.
    pub(super) fn new(
        epoch: i64,
        (message_id, endpoint_id): DeliveryKey,
        application_id: ApplicationId,
        lease: Option<DateTime<Utc>>,
        guard: Guard,
    ) -> Self {
        let row = HandBack { message_id, endpoint_id, application_id, lease, held: false };
        Self { epoch, row, _guard: guard, claim_after: Duration::ZERO, for_another_node: false }
    }

    /// Whether it goes back as held, because its endpoint is closed or everything is paused.
    pub(super) fn held(mut self, held: bool) -> Self {
        self.row.held = held;
        self
    }

    /// Whether it goes back because another node is to send it.
    pub(super) fn for_another_node(mut self, another: bool) -> Self {
        self.for_another_node = another;
        self
    }

    pub(super) fn claim_after(mut self, wait: Duration) -> Self {
        self.claim_after = wait;
        self
    }
}

impl Dispatcher {
    /// Hands deliveries back to the queue. They are on their way when this returns.
    pub(super) fn hand_back(&self, deliveries: Vec<Delivery>, held: bool) {
        self.hand_back_each(deliveries, held, false);
    }

    /// The same because this node stops: other nodes are told of them.
    pub(super) fn hand_back_to_others(&self, deliveries: Vec<Delivery>) {
        self.hand_back_each(deliveries, false, true);
    }

    fn hand_back_each(&self, deliveries: Vec<Delivery>, held: bool, to_others: bool) {
        for delivery in deliveries {
            let key = (delivery.message.id, delivery.endpoint.id);
            let application = delivery.endpoint.application_id;
            let lease = delivery.claim.map(|claim| claim.token);
            let guard = Guard::Delivery(delivery.guards);
            let elsewhere = to_others || self.lanes().is_elsewhere(delivery.endpoint.id);
            let item = HandBackItem::new(delivery.epoch, key, application, lease, guard);
            self.hand_backs.add(item.held(held).for_another_node(elsewhere));
        }
    }

    /// The same for deliveries of a message that were stored under `epoch` and are not in memory.
    pub fn hand_back_stored(
        &self,
        epoch: i64,
        message: &Message,
        endpoints: impl Iterator<Item = EndpointId>,
        mark: &Arc<MessageGuard>,
    ) {
        for endpoint in endpoints {
            let (key, guard) = ((message.id, endpoint), Guard::Message(mark.clone()));
            self.hand_backs.add(HandBackItem::new(epoch, key, message.application_id, None, guard));
        }
    }
}

impl HandBackQueue {
    /// A queue and its writer. It is bounded by the memory that deliveries hold.
    pub(super) fn new(
        queue: QueueStore,
        lease: Lease,
        claim_schedule: ClaimSchedule,
        progress: Progress,
    ) -> (Self, HandBackWriter) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let writer = HandBackWriter { receiver, queue, lease, claim_schedule, progress };
        (Self { sender: Mutex::new(Some(sender)) }, writer)
    }

    /// Takes a delivery back.
    pub(super) fn add(&self, item: HandBackItem) {
        let sent = self.sender().as_ref().is_some_and(|sender| sender.send(item).is_ok());
        if !sent {
            tracing::warn!("a delivery was handed back after the end; whoever takes this node over frees it");
        }
    }

    /// Takes nothing more; what came before is still written.
    pub(super) fn close(&self) {
        self.sender().take();
    }

    fn sender(&self) -> MutexGuard<'_, Option<mpsc::UnboundedSender<HandBackItem>>> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HandBackWriter {
    /// Writes until the queue is closed and empty.
    pub(super) async fn run(mut self) {
        let mut batch = Vec::new();
        while self.receiver.recv_many(&mut batch, MAX_BATCH).await > 0 {
            // Each goes back under its own epoch; those of a former epoch may be among them.
            let mut by_epoch: BTreeMap<i64, Vec<HandBackItem>> = BTreeMap::new();
            for item in batch.drain(..) {
                by_epoch.entry(item.epoch).or_default().push(item);
            }
            for (epoch, items) in by_epoch {
                metrics::count(&metrics::current().batch_hand_backs, items.len());
                self.progress.begin();
                self.write(epoch, &items).await;
                self.progress.done();
                self.schedule_claims(&items);
                self.announce(&items).await;
            }
        }
    }

    async fn write(&self, epoch: i64, items: &[HandBackItem]) {
        let rows: Vec<HandBack> = items.iter().map(|item| item.row).collect();
        let mut backoff = FIRST_BACKOFF;
        loop {
            match self.queue.hand_back(epoch, &rows).await {
                Ok(()) => return,
                Err(StoreError::Unavailable(error)) if self.lease.covers(epoch) => {
                    tracing::warn!(%error, deliveries = rows.len(), "deliveries wait to be handed back");
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(MAX_BACKOFF);
                }
                Err(StoreError::Unavailable(_)) => {
                    return tracing::info!(
                        deliveries = rows.len(),
                        "the epoch is over, and its end frees these deliveries"
                    );
                }
                Err(error) => {
                    return tracing::error!(
                        error = &error as &dyn std::error::Error,
                        deliveries = rows.len(),
                        "deliveries cannot be handed back; the search for lost deliveries puts them back"
                    );
                }
            }
        }
    }

    /// Tells the nodes that send to their endpoints.
    async fn announce(&self, items: &[HandBackItem]) {
        let mut endpoints: Vec<EndpointId> =
            items.iter().filter(|item| item.for_another_node).map(|item| item.row.endpoint_id).collect();
        endpoints.sort_unstable();
        endpoints.dedup();
        if endpoints.is_empty() {
            return;
        }
        if let Err(error) = self.queue.announce_due(&endpoints).await {
            tracing::debug!(%error, "other nodes could not be told of due work; their sweeps find it");
        }
    }

    /// Puts their endpoints on the claim schedule.
    fn schedule_claims(&self, items: &[HandBackItem]) {
        let now = Instant::now();
        let mut due: Vec<(EndpointId, Duration)> = items
            .iter()
            .filter(|item| !item.row.held && !item.for_another_node)
            .map(|item| (item.row.endpoint_id, item.claim_after))
            .collect();
        due.dedup();
        due.into_iter()
            .for_each(|(endpoint, wait)| self.claim_schedule.schedule_no_later_than(endpoint, now + wait));
    }
}
