//! The batch writer of messages: whatever has queued up while the last commit was under way becomes one statement.
//!
//! When an answer of the database is lost, it is open whether the batch was written. The writer then asks, writes
//! what is missing under the same ids, and only gives up after a while; giving up renounces the lease, so that
//! whatever was committed after all goes back to the queue when the node comes back under its next epoch.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::batch::{BatchLimits, BatchQueue};
use crate::dispatch::{Dispatcher, Place};
use crate::domain::delivery::DeliveryState;
use crate::domain::id::{EndpointId, MessageId};
use crate::domain::message::SharedMessage;
use crate::lease::{Lease, Mark};
use crate::store::{FannedOut, HandBack, IdempotencyKey, Refusal, Store, StoreError};

const WRITERS: usize = 1;
const LIMITS: BatchLimits =
    BatchLimits { queued: 16_384, queued_bytes: 64 << 20, taken: 500, taken_bytes: 4 << 20 };
/// What a message weighs in a batch besides its payload, and what each of its deliveries does.
const ROW_BYTES: usize = 256;
const DELIVERY_BYTES: usize = 200;
/// A batch whose fate is open is settled within this, or given up.
const PATIENCE: Duration = Duration::from_secs(10);
const BACKOFF: Duration = Duration::from_millis(50);

/// A message on its way to be written.
pub(super) struct Posted {
    pub(super) message: SharedMessage,
    pub(super) config_version: i64,
    pub(super) deliveries: Vec<(EndpointId, Place)>,
    pub(super) idempotency: Option<IdempotencyKey>,
    pub(super) payload_hours: Option<u32>,
    pub(super) mark: Arc<Mark>,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// What became of a posted message.
pub(super) enum Answer {
    Written,
    Refused(Refusal),
    /// The queue is full; it was not written.
    NoRoom,
    Unavailable,
}

/// The queue in front of the writers.
pub(super) struct Writer {
    queue: BatchQueue<Posted>,
    store: Store,
    lease: Lease,
    dispatcher: Arc<Dispatcher>,
}

/// The writers' tasks.
pub struct Writers {
    writer: Arc<Writer>,
    tasks: JoinSet<()>,
}

impl Writers {
    /// Refuses new messages, writes what is queued, and returns.
    pub async fn stop(mut self) {
        self.writer.queue.close();
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Writer {
    pub(super) fn start(store: Store, lease: Lease, dispatcher: Arc<Dispatcher>) -> (Arc<Self>, Writers) {
        let writer = Arc::new(Self { queue: BatchQueue::new(LIMITS), store, lease, dispatcher });
        let mut tasks = JoinSet::new();
        for _ in 0..WRITERS {
            let writer = writer.clone();
            tasks.spawn(async move {
                while let Some(batch) = writer.queue.take().await {
                    writer.write(batch).await;
                }
            });
        }
        (writer.clone(), Writers { writer, tasks })
    }

    /// Queues messages to be written in one commit, or several if their weight exceeds a batch's. Each gets its
    /// answer, also when there is no room.
    pub(super) fn push(&self, posted: Vec<Posted>) {
        let mut group = Vec::with_capacity(posted.len());
        let mut group_bytes = 0;
        for one in posted {
            let bytes = one.weight();
            if group_bytes + bytes > LIMITS.taken_bytes && !group.is_empty() {
                self.push_group(std::mem::take(&mut group));
                group_bytes = 0;
            }
            group_bytes += bytes;
            group.push((one, bytes));
        }
        self.push_group(group);
    }

    fn push_group(&self, group: Vec<(Posted, usize)>) {
        if let Err(back) = self.queue.try_push_together(group) {
            back.into_iter().for_each(|(posted, _)| posted.say(Answer::NoRoom));
        }
    }

    async fn write(&self, mut batch: Vec<Posted>) {
        let give_up_at = Instant::now() + PATIENCE;
        loop {
            let epoch = self.lease.epoch();
            let written = match self.insert(epoch, &batch).await {
                Ok(refused) => return self.settle(batch, &refused, epoch),
                Err(StoreError::Inconsistent(why)) => return self.write_apart(batch, &why).await,
                Err(error) => {
                    tracing::warn!(%error, messages = batch.len(), "a batch waits to be written");
                    tokio::time::sleep(BACKOFF).await;
                    let ids: Vec<MessageId> = batch.iter().map(|posted| posted.message.id).collect();
                    self.store.written_messages(&ids).await.unwrap_or_default()
                }
            };
            let (done, open): (Vec<Posted>, Vec<Posted>) =
                batch.into_iter().partition(|posted| written.contains(&posted.message.id));
            self.settle_found(done, epoch).await;
            batch = open;
            if batch.is_empty() {
                return;
            }
            if Instant::now() > give_up_at {
                self.lease.renounce(epoch);
                return batch.into_iter().for_each(|posted| posted.say(Answer::Unavailable));
            }
        }
    }

    /// Answers for messages that turned out to be written, by this epoch or the one before. It is open which, so
    /// their deliveries go through the queue: what this epoch owns is handed back, the rest is there already.
    async fn settle_found(&self, found: Vec<Posted>, epoch: i64) {
        let rows: Vec<HandBack> = found
            .iter()
            .flat_map(|posted| posted.deliveries.iter().map(move |(endpoint_id, _)| (posted, endpoint_id)))
            .map(|(posted, endpoint_id)| HandBack {
                message_id: posted.message.id,
                endpoint_id: *endpoint_id,
                application_id: posted.message.application_id,
                lease: None,
                held: false,
            })
            .collect();
        while !rows.is_empty() && self.lease.covers(epoch) {
            match self.store.hand_back(epoch, &rows).await {
                Ok(()) => break,
                Err(error) => tracing::warn!(%error, "deliveries wait to be handed back"),
            }
            tokio::time::sleep(BACKOFF).await;
        }
        rows.iter().for_each(|row| self.dispatcher.queue_grew(row.endpoint_id));
        for posted in found {
            posted.say(Answer::Written);
        }
    }

    /// Writes the halves of a batch that the database refuses for good, down to the row that it is about.
    async fn write_apart(&self, mut batch: Vec<Posted>, why: &str) {
        if batch.len() <= 1 {
            tracing::error!(%why, "a message cannot be written");
            return batch.into_iter().for_each(|posted| posted.say(Answer::Unavailable));
        }
        let later = batch.split_off(batch.len() / 2);
        Box::pin(self.write(batch)).await;
        Box::pin(self.write(later)).await;
    }

    async fn insert(&self, epoch: i64, batch: &[Posted]) -> Result<Vec<(MessageId, Refusal)>, StoreError> {
        let states: Vec<Vec<(EndpointId, DeliveryState)>> = batch
            .iter()
            .map(|posted| posted.deliveries.iter().map(|(id, place)| (*id, place.state())).collect())
            .collect();
        let rows: Vec<FannedOut<'_>> = batch
            .iter()
            .zip(&states)
            .map(|(posted, deliveries)| FannedOut {
                message: &posted.message,
                config_version: posted.config_version,
                deliveries,
                idempotency: posted.idempotency,
                payload_hours: posted.payload_hours,
            })
            .collect();
        self.store.insert_messages(epoch, &rows).await
    }

    /// Hands what was written to the dispatcher and answers everybody.
    fn settle(&self, batch: Vec<Posted>, refused: &[(MessageId, Refusal)], epoch: i64) {
        let refused: HashMap<MessageId, Refusal> = refused.iter().copied().collect();
        let mut any_goes = false;
        for mut posted in batch {
            if let Some(refusal) = refused.get(&posted.message.id) {
                posted.say(Answer::Refused(*refusal));
                continue;
            }
            for (endpoint, place) in std::mem::take(&mut posted.deliveries) {
                match place {
                    Place::Seat(seat) => {
                        seat.take(posted.message.clone(), epoch, posted.mark.clone());
                        any_goes = true;
                    }
                    Place::Waiting => self.dispatcher.queue_grew(endpoint),
                    Place::Held => {}
                }
            }
            posted.say(Answer::Written);
        }
        if any_goes {
            self.dispatcher.go();
        }
    }
}

impl Posted {
    fn weight(&self) -> usize {
        self.message.payload.len() + ROW_BYTES + DELIVERY_BYTES * self.deliveries.len()
    }

    /// Answers; nobody may be waiting any more.
    fn say(self, answer: Answer) {
        let _ = self.answer.send(answer);
    }
}
