//! The batch writer of outcomes. What queued up while its last commit was under way becomes one statement:
//! attempts, settled deliveries, retries, dead letters. It tries until the database takes it; whoever sends waits
//! when it lags, so the queue is bounded and nothing that was sent is forgotten while the process lives.
//!
//! No error makes it throw an outcome away. A value that the database refuses, such as a header with a character that it
//! cannot keep, is set aside alone: the outcome is recorded without what the receiver answered, and if that is refused
//! as well the delivery becomes a dead letter that says so.

mod agenda;
mod count;
mod set_aside;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;

use crate::batch::{BatchLimits, BatchQueue};
use crate::domain::delivery::NextStep;
use crate::domain::delivery::attempt::{AttemptOutcome, Trigger};
use crate::domain::endpoint::Endpoint;
use crate::domain::message::SharedMessage;
use crate::rollup::Rollups;
use crate::store::{OutcomeRow, QueueStore, StoreError};
use crate::vitals::Progress;

pub use agenda::Agenda;

const WRITERS: usize = 1;
const LIMITS: BatchLimits =
    BatchLimits { queued: 4096, queued_bytes: 32 << 20, taken: 1000, taken_bytes: 4 << 20 };
/// After a batch of so many the writer rests for a moment, so that the next is larger. Nobody waits for an outcome to be
/// recorded, and a statement for a hundred costs little more than one for ten.
const MEDIUM_BATCH: std::ops::Range<usize> = 16..250;
const MEDIUM_BATCH_LINGER: Duration = Duration::from_millis(3);
const FIRST_BACKOFF: Duration = Duration::from_millis(20);
const LONGEST_BACKOFF: Duration = Duration::from_millis(500);

/// An attempt that was made and what is to follow from it. `keep` holds on to whatever must last until it is
/// recorded: the message's place in memory and its mark.
pub struct Outcome<K> {
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
    /// Why it was made.
    pub trigger: Trigger,
    /// How it ended.
    pub attempt: AttemptOutcome,
    /// What follows.
    pub next: NextStep,
    /// Dropped once recorded.
    pub keep: K,
}

impl<K> Outcome<K> {
    fn row(&self) -> OutcomeRow<'_> {
        OutcomeRow {
            message_id: self.message.id,
            endpoint_id: self.endpoint.id,
            application_id: self.endpoint.application_id,
            url: self.endpoint.url.as_str(),
            lease: self.lease,
            attempts_made: self.attempts_made,
            trigger: self.trigger,
            outcome: &self.attempt,
            next: self.next,
        }
    }

    fn is_happy(&self) -> bool {
        self.lease.is_none() && self.next == NextStep::Settle
    }

    fn bytes(&self) -> usize {
        512 + self.attempt.response_body.len()
    }
}

/// The recorder.
pub struct Recorder<K> {
    waiting: BatchQueue<Outcome<K>>,
    queue: QueueStore,
    agenda: Agenda,
    rollups: Rollups,
    progress: Progress,
}

impl<K: Send + Sync + 'static> Recorder<K> {
    /// Starts the writers. Retries are put on the agenda, and everything is counted in the rollups.
    pub fn start(
        queue: QueueStore,
        agenda: Agenda,
        rollups: Rollups,
        progress: Progress,
    ) -> (Arc<Self>, JoinSet<()>) {
        let recorder = Arc::new(Self { waiting: BatchQueue::new(LIMITS), queue, agenda, rollups, progress });
        let mut writers = JoinSet::new();
        for _ in 0..WRITERS {
            let recorder = recorder.clone();
            writers.spawn(async move {
                while let Some(batch) = recorder.waiting.take().await {
                    let more_will_come = MEDIUM_BATCH.contains(&batch.len());
                    recorder.write(batch).await;
                    if more_will_come {
                        tokio::time::sleep(MEDIUM_BATCH_LINGER).await;
                    }
                }
            });
        }
        (recorder, writers)
    }

    /// Hands an outcome over; waits while the writers lag.
    pub async fn push(&self, outcome: Outcome<K>) {
        let bytes = outcome.bytes();
        if let Err(outcome) = self.waiting.push(outcome, bytes).await {
            // Its delivery is freed with everything else that this node still owns.
            tracing::warn!(message = %outcome.message.id, "an outcome came after the recorder had stopped");
        }
    }

    /// Refuses what comes from now on; the writers end when everything is recorded.
    pub fn close(&self) {
        self.waiting.close();
    }

    async fn write(&self, batch: Vec<Outcome<K>>) {
        let mut groups: Vec<Vec<Outcome<K>>> = Vec::new();
        for outcome in batch {
            let fits = |group: &&mut Vec<Outcome<K>>| {
                group.first().is_some_and(|first| {
                    first.epoch == outcome.epoch && first.is_happy() == outcome.is_happy()
                })
            };
            match groups.iter_mut().find(fits) {
                Some(group) => group.push(outcome),
                None => groups.push(vec![outcome]),
            }
        }
        self.progress.begin();
        for group in groups {
            self.write_group(&group).await;
        }
        self.progress.done();
    }

    /// Writes outcomes of one kind and epoch, halving the group around a value that the database refuses.
    async fn write_group(&self, group: &[Outcome<K>]) {
        let mut backoff = FIRST_BACKOFF;
        loop {
            match self.try_write(group).await {
                Ok(moved) => {
                    if moved < group.len() {
                        tracing::warn!(
                            lost = group.len() - moved,
                            "outcomes were no longer this node's to record"
                        );
                    }
                    return self.announce(group);
                }
                Err(error @ StoreError::ValueRefused(_)) => return self.write_apart(group, &error).await,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        outcomes = group.len(),
                        "outcomes wait for the database"
                    );
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(LONGEST_BACKOFF);
                }
            }
        }
    }

    async fn write_apart(&self, group: &[Outcome<K>], error: &StoreError) {
        if let [one] = group {
            return self.set_aside(one, error).await;
        }
        let (left, right) = group.split_at(group.len() / 2);
        Box::pin(self.write_group(left)).await;
        Box::pin(self.write_group(right)).await;
    }

    async fn try_write(&self, group: &[Outcome<K>]) -> Result<usize, StoreError> {
        let Some(first) = group.first() else { return Ok(0) };
        let rows: Vec<OutcomeRow<'_>> = group.iter().map(Outcome::row).collect();
        if first.is_happy() {
            self.queue.settle_born(first.epoch, &rows).await
        } else {
            self.queue.record_outcomes(first.epoch, &rows).await
        }
    }

    fn announce(&self, group: &[Outcome<K>]) {
        self.rollups.recorded(group.iter().map(Outcome::counted));
        let now = Instant::now();
        for outcome in group {
            if let NextStep::RetryAfter(wait) = outcome.next {
                self.agenda.schedule_by(outcome.endpoint.id, now + wait);
            }
        }
    }
}
