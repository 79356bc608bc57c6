//! The batch writer of messages: whatever has queued up while the last commit was under way becomes one statement.
//!
//! What became of a batch is settled in `fate.rs`. Here it is acted on: what was written takes its seats in memory or
//! is announced as due, and everybody gets an answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::batch::{BatchLimits, BatchQueue};
use crate::dispatch::{Dispatcher, Placement};
use crate::domain::delivery::DeliveryState;
use crate::domain::id::{EndpointId, MessageId};
use crate::domain::message::SharedMessage;
use crate::lease::{Lease, Mark};
use crate::store::{FannedOut, IdempotencyKey, QueueStore, Refusal, StoreError};
use crate::vitals::Progress;

use super::fate::{Batch, Fate, Item, Statements, Timing};

const WRITERS: usize = 1;
const LIMITS: BatchLimits =
    BatchLimits { queued: 16_384, queued_bytes: 64 << 20, taken: 500, taken_bytes: 4 << 20 };
/// What a message weighs in a batch besides its payload, and what each of its deliveries does.
const ROW_BYTES: usize = 256;
const DELIVERY_BYTES: usize = 200;
/// A batch whose fate is open is settled within this, or given up.
const TIMING: Timing = Timing {
    patience: Duration::from_secs(10),
    backoff: Duration::from_millis(50),
    statement_timeout: Duration::from_secs(6),
};

/// A message on its way to be written.
pub(super) struct Posted {
    pub(super) message: SharedMessage,
    pub(super) config_version: i64,
    pub(super) deliveries: Vec<(EndpointId, Placement)>,
    pub(super) idempotency: Option<IdempotencyKey>,
    pub(super) payload_hours: Option<u32>,
    pub(super) mark: Arc<Mark>,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// What became of a posted message.
pub(super) enum Answer {
    Written,
    Refused(Refusal),
    /// The database refuses one of its values.
    ValueRefused,
    /// The queue is full; it was not written.
    NoRoom,
    Unavailable,
}

/// The queue in front of the writers.
pub(super) struct Writer {
    waiting: BatchQueue<Posted>,
    queue: QueueStore,
    lease: Lease,
    dispatcher: Arc<Dispatcher>,
    progress: Progress,
}

/// The writers' tasks.
pub struct Writers {
    writer: Arc<Writer>,
    tasks: JoinSet<()>,
}

impl Writers {
    /// Refuses new messages, writes what is queued, and returns.
    pub async fn stop(mut self) {
        self.writer.waiting.close();
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Writer {
    pub(super) fn start(
        queue: QueueStore,
        lease: Lease,
        dispatcher: Arc<Dispatcher>,
        progress: Progress,
    ) -> (Arc<Self>, Writers) {
        let writer = Arc::new(Self { waiting: BatchQueue::new(LIMITS), queue, lease, dispatcher, progress });
        let mut tasks = JoinSet::new();
        for _ in 0..WRITERS {
            let writer = writer.clone();
            tasks.spawn(async move {
                while let Some(batch) = writer.waiting.take().await {
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
        if let Err(back) = self.waiting.try_push_together(group) {
            back.into_iter().for_each(|(posted, _)| posted.reply(Answer::NoRoom));
        }
    }

    async fn write(&self, batch: Vec<Posted>) {
        let mut any_goes = false;
        self.progress.begin();
        Batch::new(batch, TIMING)
            .settle(self, &self.lease, &mut |posted, fate| any_goes |= self.conclude(posted, fate))
            .await;
        self.progress.done();
        if any_goes {
            self.dispatcher.wake();
        }
    }

    /// Acts on what became of a message, and answers. Returns whether something of it can go now.
    fn conclude(&self, mut posted: Posted, fate: Fate) -> bool {
        let mut goes = false;
        let answer = match fate {
            Fate::Written { epoch } => {
                for (endpoint, place) in std::mem::take(&mut posted.deliveries) {
                    match place {
                        Placement::InMemory(reservation) => {
                            reservation.fill(posted.message.clone(), epoch, posted.mark.clone());
                            goes = true;
                        }
                        Placement::Waiting => self.dispatcher.note_due(endpoint),
                        Placement::Held => {}
                    }
                }
                Answer::Written
            }
            Fate::WrittenByThen { epoch } => {
                // Its places were reserved under an epoch that is over. What this epoch owns goes through the queue as well.
                let endpoints = posted.deliveries.iter().map(|(endpoint, _)| *endpoint);
                self.dispatcher.hand_back_stored(epoch, &posted.message, endpoints, &posted.mark);
                Answer::Written
            }
            Fate::Refused(refusal) => Answer::Refused(refusal),
            Fate::ValueRefused => Answer::ValueRefused,
            Fate::Unknown { epoch } => {
                self.lease.keep_until_left(epoch, posted.mark.clone());
                Answer::Unavailable
            }
        };
        posted.reply(answer);
        goes
    }
}

impl Item for Posted {
    fn id(&self) -> MessageId {
        self.message.id
    }
}

impl Statements<Posted> for Writer {
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
        self.queue.insert_messages(epoch, &rows).await
    }

    async fn written(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        self.queue.written_messages(ids).await
    }
}

impl Posted {
    fn weight(&self) -> usize {
        self.message.payload.len() + ROW_BYTES + DELIVERY_BYTES * self.deliveries.len()
    }

    /// Answers; nobody may be waiting any more.
    fn reply(self, answer: Answer) {
        let _ = self.answer.send(answer);
    }
}
