//! The batch writers of messages: what was queued while the last commit was under way becomes one statement. Large messages
//! have a queue and a writer of their own, so that small ones do not wait behind them (see `give_way.rs`).
//!
//! `settle.rs` finds out whether each message was written. Here that is acted on: what was written fills its places in
//! memory or is announced as due, and every caller gets an answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::batch::{BatchLimits, BatchQueue};
use crate::dispatch::{Dispatcher, Placement};
use crate::domain::delivery::DeliveryState;
use crate::domain::id::{EndpointId, MessageId};
use crate::domain::live::report::MessageSeen;
use crate::domain::message::SharedMessage;
use crate::lease::{Lease, MessageGuard};
use crate::node_health::Progress;
use crate::rollup::Rollups;
use crate::store::{FannedOut, IdempotencyKey, QueueStore, Refusal, StoreError};
use crate::telemetry::metrics;
use crate::telemetry::traces::Span;

use super::give_way::GiveWay;
use super::settle::{Batch, Item, Statements, Timing, WriteResult};

/// What weighs so much or less, with its deliveries, is written apart from what is larger.
const SMALL_BYTES: usize = 16 << 10;
const SMALL_LIMITS: BatchLimits =
    BatchLimits { queue_items: 16_384, queue_bytes: 32 << 20, batch_items: 500, batch_bytes: 4 << 20 };
/// A batch of large messages is small, because a commit of small ones may wait until the log before it is on disk.
const LARGE_LIMITS: BatchLimits =
    BatchLimits { queue_items: 2_048, queue_bytes: 32 << 20, batch_items: 50, batch_bytes: 1 << 20 };
/// Messages of one request are written in one commit, up to this weight.
const TOGETHER_BYTES: usize = 4 << 20;
/// What a message weighs in a batch besides its payload, and what each of its deliveries does.
const MESSAGE_BYTES: usize = 256;
const DELIVERY_BYTES: usize = 200;
/// A batch is settled within these times, or given up.
const TIMING: Timing = Timing {
    give_up_after: Duration::from_secs(10),
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
    pub(super) guard: Arc<MessageGuard>,
    pub(super) answer: oneshot::Sender<Answer>,
    /// It ends when the answer is given.
    pub(super) storing: Span,
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

/// The queues of messages, and what their writers need.
pub(super) struct Writer {
    small: Line,
    large: Line,
    give_way: GiveWay,
    queue: QueueStore,
    lease: Lease,
    dispatcher: Arc<Dispatcher>,
    rollups: Rollups,
}

/// A queue, and how its writer gets on.
struct Line {
    waiting: BatchQueue<Posted>,
    progress: Progress,
}

/// How each writer gets on.
pub struct WritersProgress {
    /// Of messages of usual size.
    pub small: Progress,
    /// Of large ones.
    pub large: Progress,
}

/// The writers' tasks.
pub struct Writers {
    writer: Arc<Writer>,
    tasks: JoinSet<()>,
}

impl Writers {
    /// Refuses new messages, writes what is queued, and returns.
    pub async fn stop(mut self) {
        self.writer.small.waiting.close();
        self.writer.large.waiting.close();
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Writer {
    pub(super) fn start(
        queue: QueueStore,
        lease: Lease,
        dispatcher: Arc<Dispatcher>,
        rollups: Rollups,
        progress: WritersProgress,
    ) -> (Arc<Self>, Writers) {
        let line = |limits, progress| Line { waiting: BatchQueue::new(limits), progress };
        let small = line(SMALL_LIMITS, progress.small);
        let large = line(LARGE_LIMITS, progress.large);
        let writer =
            Arc::new(Self { small, large, give_way: GiveWay::default(), queue, lease, dispatcher, rollups });
        let mut tasks = JoinSet::new();
        tasks.spawn(writer.clone().write_small());
        tasks.spawn(writer.clone().write_large());
        (writer.clone(), Writers { writer, tasks })
    }

    async fn write_small(self: Arc<Self>) {
        while let Some(batch) = self.small.waiting.take().await {
            self.give_way.small_came();
            self.write(batch, &self.small.progress).await;
        }
    }

    async fn write_large(self: Arc<Self>) {
        let batch_bytes = || self.give_way.batch_bytes(LARGE_LIMITS.batch_bytes);
        while let Some(batch) = self.large.waiting.take_within(batch_bytes).await {
            let began_at = Instant::now();
            self.write(batch, &self.large.progress).await;
            self.give_way.pause_after(began_at.elapsed()).await;
        }
    }

    /// Queues messages to be written in one commit, or several if they weigh more than that. Each gets its
    /// answer, also when there is no room.
    pub(super) fn push(&self, posted: Vec<Posted>) {
        let mut group = Vec::with_capacity(posted.len());
        let mut group_bytes = 0;
        for one in posted {
            let bytes = one.weight();
            if group_bytes + bytes > TOGETHER_BYTES && !group.is_empty() {
                self.push_together(std::mem::take(&mut group));
                group_bytes = 0;
            }
            group_bytes += bytes;
            group.push((one, bytes));
        }
        self.push_together(group);
    }

    fn push_together(&self, group: Vec<(Posted, usize)>) {
        let bytes: usize = group.iter().map(|(_, bytes)| bytes).sum();
        let line = if bytes <= SMALL_BYTES { &self.small } else { &self.large };
        if let Err(back) = line.waiting.try_push_together(group) {
            back.into_iter().for_each(|(posted, _)| posted.reply(Answer::NoRoom));
        }
    }

    async fn write(&self, batch: Vec<Posted>, progress: &Progress) {
        let mut any_in_memory = false;
        metrics::count(&metrics::current().batch_messages, batch.len());
        progress.begin();
        Batch::new(batch, TIMING)
            .settle(self, &self.lease, &mut |posted, result| any_in_memory |= self.conclude(posted, result))
            .await;
        progress.done();
        if any_in_memory {
            self.dispatcher.wake();
        }
    }

    /// Acts on the result of a message, and answers. Returns whether one of its deliveries is in memory.
    fn conclude(&self, mut posted: Posted, result: WriteResult) -> bool {
        let mut in_memory = false;
        let answer = match result {
            WriteResult::Written { epoch } => {
                self.count(&posted);
                for (endpoint, place) in std::mem::take(&mut posted.deliveries) {
                    match place {
                        Placement::InMemory(reservation) => {
                            reservation.fill(posted.message.clone(), epoch, posted.guard.clone());
                            in_memory = true;
                        }
                        Placement::Waiting => self.dispatcher.note_due(endpoint),
                        Placement::Held => {}
                    }
                }
                Answer::Written
            }
            WriteResult::WrittenUnderFormerEpoch { epoch } => {
                self.count(&posted);
                // Its places were reserved under an epoch that is over. What this epoch owns goes through the queue as well.
                let endpoints = posted.deliveries.iter().map(|(endpoint, _)| *endpoint);
                self.dispatcher.hand_back_stored(epoch, &posted.message, endpoints, &posted.guard);
                Answer::Written
            }
            WriteResult::Refused(refusal) => Answer::Refused(refusal),
            WriteResult::ValueRefused => Answer::ValueRefused,
            WriteResult::Unknown { epoch } => {
                self.lease.keep_until_rejoin(epoch, posted.guard.clone());
                Answer::Unavailable
            }
        };
        posted.reply(answer);
        in_memory
    }

    /// Counts a message that was stored, for metrics and the console, and tells those who watch.
    fn count(&self, posted: &Posted) {
        let metrics = metrics::current();
        metrics.messages_accepted.increment(1);
        for (_, place) in &posted.deliveries {
            match place {
                Placement::InMemory(_) => metrics.created_in_flight.increment(1),
                Placement::Waiting => metrics.created_waiting.increment(1),
                Placement::Held => metrics.created_held.increment(1),
            }
        }
        let endpoints = || posted.deliveries.iter().map(|(endpoint, _)| *endpoint);
        self.rollups.accepted(&posted.message, endpoints());
        self.dispatcher.live().accepted(posted.message.application_id, endpoints(), || posted.seen());
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
        // A statement is part of one trace at most, however many messages it writes.
        let traced = batch.iter().find(|posted| posted.storing.is_recorded());
        let storing = traced.map_or_else(Span::none, |posted| posted.storing.clone());
        storing.around(self.queue.insert_messages(epoch, &rows)).await
    }

    async fn stored_among(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        self.queue.written_messages(ids).await
    }
}

impl Posted {
    /// As it is told to those who watch.
    fn seen(&self) -> MessageSeen {
        let begun = |state| {
            let begun = self.deliveries.iter().filter(|(_, place)| place.state() == state);
            u32::try_from(begun.count()).unwrap_or(u32::MAX)
        };
        MessageSeen {
            id: self.message.id,
            application: self.message.application_id,
            event_type: self.message.event_type.clone(),
            event_id: self.message.event_id.clone(),
            channels: self.message.channels.clone(),
            tags: self.message.tags.clone(),
            size_bytes: self.message.payload.len(),
            in_flight: begun(DeliveryState::InFlight),
            waiting: begun(DeliveryState::Waiting),
            held: begun(DeliveryState::Held),
        }
    }

    fn weight(&self) -> usize {
        self.message.content_bytes() + MESSAGE_BYTES + DELIVERY_BYTES * self.deliveries.len()
    }

    /// Answers. The caller may have gone away.
    fn reply(self, answer: Answer) {
        let _ = self.answer.send(answer);
    }
}
