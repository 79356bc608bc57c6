//! The batch writer of outcomes. What was queued while its last commit was under way becomes one statement: attempts,
//! settled deliveries, retries, dead letters. It tries until the database takes it. Attempts wait while it lags, so the
//! queue is bounded and no outcome is forgotten while the process lives.
//!
//! No error makes it drop an outcome. If the database refuses a value, such as a header with a character that it cannot
//! store, that outcome is recorded alone and without what the receiver answered; if that is refused as well, the delivery
//! becomes a dead letter that says so (`refused_value.rs`).

mod claim_schedule;
mod count;
mod deaths;
mod measure;
mod refused_value;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::batch::{BatchLimits, BatchQueue};
use crate::domain::delivery::NextStep;
use crate::domain::delivery::attempt::{AttemptOutcome, Trigger};
use crate::domain::endpoint::Endpoint;
use crate::domain::message::SharedMessage;
use crate::live::Live;
use crate::node_health::Progress;
use crate::rollup::Rollups;
use crate::store::{OutcomeRow, QueueStore, StoreError};
use crate::telemetry::metrics;
use crate::telemetry::traces::Span;

use deaths::Deaths;
use measure::Moved;

pub use claim_schedule::ClaimSchedule;

const WRITERS: usize = 1;
const QUEUE_LIMITS: BatchLimits =
    BatchLimits { queue_items: 4096, queue_bytes: 32 << 20, batch_items: 1000, batch_bytes: 4 << 20 };
/// What an outcome weighs in the queue besides the body of its answer.
const OUTCOME_BYTES: usize = 512;
/// After a batch of this size the writer waits for a moment, so that the next is larger. Nobody waits for an outcome to be
/// recorded, and a statement for a hundred costs little more than one for ten.
const MEDIUM_BATCH: std::ops::Range<usize> = 16..250;
const MEDIUM_BATCH_LINGER: Duration = Duration::from_millis(3);
const FIRST_BACKOFF: Duration = Duration::from_millis(20);
const MAX_BACKOFF: Duration = Duration::from_millis(500);

/// An attempt that was made and what follows from it. `guard` holds whatever must last until it is recorded: the memory of
/// the delivery, and its message or its claim.
pub struct Outcome<G> {
    /// The message.
    pub message: SharedMessage,
    /// The endpoint, as it was when the request went out.
    pub endpoint: Arc<Endpoint>,
    /// The epoch that the delivery is owned under.
    pub epoch: i64,
    /// The lease of a claimed row.
    pub lease: Option<DateTime<Utc>>,
    /// Counting this attempt.
    pub attempts_made: u16,
    /// Of these, those that were refused as too fast.
    pub refusals: u16,
    /// Why it was made.
    pub trigger: Trigger,
    /// How it ended.
    pub attempt: AttemptOutcome,
    /// What follows.
    pub next: NextStep,
    /// Dropped once recorded.
    pub guard: G,
    /// It ends once recorded.
    pub recording: Span,
}

impl<G> Outcome<G> {
    fn row(&self) -> OutcomeRow<'_> {
        OutcomeRow {
            message_id: self.message.id,
            endpoint_id: self.endpoint.id,
            application_id: self.endpoint.application_id,
            url: self.endpoint.url.as_str(),
            lease: self.lease,
            attempts_made: self.attempts_made,
            refusals: self.refusals,
            trigger: self.trigger,
            outcome: &self.attempt,
            next: self.next,
        }
    }

    /// Most outcomes are of this kind, and have a statement of their own: a delivery that was never in the queue arrived.
    fn is_first_success(&self) -> bool {
        self.lease.is_none() && self.next == NextStep::Settle
    }

    fn bytes(&self) -> usize {
        OUTCOME_BYTES + self.attempt.response_body.len()
    }
}

/// Queues outcomes and writes them.
pub struct Recorder<G> {
    waiting: BatchQueue<Outcome<G>>,
    queue: QueueStore,
    claim_schedule: ClaimSchedule,
    rollups: Rollups,
    live: Live,
    progress: Progress,
    deaths: Deaths,
}

impl<G: Send + Sync + 'static> Recorder<G> {
    /// Starts the writers. Retries are put on the claim schedule, and what was recorded is counted in the rollups and told to
    /// those who watch. The writers work on these threads.
    pub fn start(
        queue: QueueStore,
        claim_schedule: ClaimSchedule,
        rollups: Rollups,
        live: Live,
        progress: Progress,
        threads: &Handle,
    ) -> (Arc<Self>, JoinSet<()>) {
        let waiting = BatchQueue::new(QUEUE_LIMITS);
        let deaths = Deaths::default();
        let recorder = Arc::new(Self { waiting, queue, claim_schedule, rollups, live, progress, deaths });
        let mut writers = JoinSet::new();
        for _ in 0..WRITERS {
            let recorder = recorder.clone();
            let writing = async move {
                while let Some(batch) = recorder.waiting.take().await {
                    let medium = MEDIUM_BATCH.contains(&batch.len());
                    recorder.write(batch).await;
                    if medium {
                        tokio::time::sleep(MEDIUM_BATCH_LINGER).await;
                    }
                }
                recorder.deaths.tell();
            };
            writers.spawn_on(writing, threads);
        }
        (recorder, writers)
    }

    /// Hands an outcome over; waits while the writers lag.
    pub async fn push(&self, outcome: Outcome<G>) {
        let bytes = outcome.bytes();
        if let Err(outcome) = self.waiting.push(outcome, bytes).await {
            // Its delivery stays owned by this node, and is freed when this node leaves.
            tracing::warn!(message = %outcome.message.id, "an outcome came after the recorder had stopped");
        }
    }

    /// Refuses what comes from now on; the writers end when everything is recorded.
    pub fn close(&self) {
        self.waiting.close();
    }

    async fn write(&self, batch: Vec<Outcome<G>>) {
        let mut groups: Vec<Vec<Outcome<G>>> = Vec::new();
        for outcome in batch {
            let fits = |group: &&mut Vec<Outcome<G>>| {
                group.first().is_some_and(|first| {
                    first.epoch == outcome.epoch && first.is_first_success() == outcome.is_first_success()
                })
            };
            match groups.iter_mut().find(fits) {
                Some(group) => group.push(outcome),
                None => groups.push(vec![outcome]),
            }
        }
        self.progress.begin();
        for group in groups {
            metrics::count(&metrics::current().batch_outcomes, group.len());
            self.write_group(&group).await;
        }
        self.progress.done();
    }

    /// Writes outcomes of one kind and epoch. If the database refuses a value, the halves are written separately.
    async fn write_group(&self, group: &[Outcome<G>]) {
        let mut backoff = FIRST_BACKOFF;
        loop {
            match self.write_once(group).await {
                Ok(moved) => {
                    let lost = group.len().saturating_sub(moved.count());
                    if lost > 0 {
                        tracing::warn!(
                            lost,
                            "this node did not own these deliveries any more; their outcomes are not recorded"
                        );
                    }
                    self.note_recorded(group, &moved);
                    return self.schedule_retries(group);
                }
                Err(error @ StoreError::ValueRefused(_)) => return self.write_halves(group, &error).await,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        outcomes = group.len(),
                        "outcomes wait for the database"
                    );
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(MAX_BACKOFF);
                }
            }
        }
    }

    async fn write_halves(&self, group: &[Outcome<G>], error: &StoreError) {
        if let [one] = group {
            return self.record_without_answer(one, error).await;
        }
        let (left, right) = group.split_at(group.len() / 2);
        Box::pin(self.write_group(left)).await;
        Box::pin(self.write_group(right)).await;
    }

    async fn write_once(&self, group: &[Outcome<G>]) -> Result<Moved, StoreError> {
        let Some(first) = group.first() else { return Ok(Moved::First(0)) };
        let rows: Vec<OutcomeRow<'_>> = group.iter().map(Outcome::row).collect();
        // A statement is part of one trace at most, however many outcomes it writes.
        let traced = group.iter().find(|outcome| outcome.recording.is_recorded());
        let recording = traced.map_or_else(Span::none, |outcome| outcome.recording.clone());
        if first.is_first_success() {
            recording.around(self.queue.settle_born(first.epoch, &rows)).await.map(Moved::First)
        } else {
            recording.around(self.queue.record_outcomes(first.epoch, &rows)).await.map(Moved::These)
        }
    }

    fn schedule_retries(&self, group: &[Outcome<G>]) {
        let now = Instant::now();
        for outcome in group {
            if let NextStep::RetryAfter(wait) = outcome.next {
                self.claim_schedule.schedule_no_later_than(outcome.endpoint.id, now + wait);
            }
        }
    }
}
