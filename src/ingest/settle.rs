//! Settles a batch of messages: finds out of each whether it was written, and decides what its producer is told.
//!
//! If the database's answer is lost, the statement may have been committed, may fail, or may still be running; in the last
//! case a query for what is stored would not see it. So the batch is sent again under the same ids: a statement that still
//! runs makes the second one wait for it, and the second one is then refused because of the keys, the `eventId`s or the ids
//! of the first. From the first lost answer on, every refusal is therefore checked against what is stored: a message that
//! is there was written by us, whatever the refusal says.
//!
//! A batch that is not settled in time is given up. The lease is given up with it, so that what was committed after all goes
//! back to the queue when the next epoch begins. Until then the guards of its messages keep the low-water mark down.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use crate::domain::id::MessageId;
use crate::lease::Lease;
use crate::store::{Refusal, StoreError};

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    /// A batch that is not settled by then is given up.
    pub(super) give_up_after: Duration,
    /// The wait before the database is asked again.
    pub(super) backoff: Duration,
    /// No statement runs for longer than this: the server ends it.
    pub(super) statement_timeout: Duration,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteResult {
    /// It is stored, and its deliveries in memory are owned under this epoch.
    Written {
        /// The epoch.
        epoch: i64,
    },
    /// It is stored under this epoch or under a former one. What a former one owned is in the queue already.
    WrittenUnderFormerEpoch {
        /// The epoch.
        epoch: i64,
    },
    /// It is not stored, and will not be.
    Refused(Refusal),
    /// The database refuses one of its values, for good.
    ValueRefused,
    /// It is not known. If it is stored after all, it is under this epoch or one before it.
    Unknown {
        /// The epoch.
        epoch: i64,
    },
}

/// What is in a batch.
pub(super) trait Item {
    fn id(&self) -> MessageId;
}

/// The two statements that settle a batch.
pub(super) trait Statements<T> {
    /// Writes all of them in one commit but those that it returns as refused.
    async fn insert(&self, epoch: i64, batch: &[T]) -> Result<Vec<(MessageId, Refusal)>, StoreError>;

    /// Which of these are stored.
    async fn stored_among(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError>;
}

/// A batch on its way to be settled.
pub(super) struct Batch<T> {
    open: Vec<T>,
    /// When an answer was last lost. A refusal after that may be due to the statement whose answer was lost.
    lost_at: Option<Instant>,
    /// The epoch that it was first sent under.
    first_epoch: Option<i64>,
    give_up_at: Instant,
    timing: Timing,
}

impl<T: Item> Batch<T> {
    /// A batch that nothing is known of yet.
    pub(super) fn new(items: Vec<T>, timing: Timing) -> Self {
        let give_up_at = Instant::now() + timing.give_up_after;
        Self { open: items, lost_at: None, first_epoch: None, give_up_at, timing }
    }

    /// Settles it, and reports the result of each item.
    pub(super) async fn settle(
        mut self,
        statements: &impl Statements<T>,
        lease: &Lease,
        report: &mut impl FnMut(T, WriteResult),
    ) {
        while !self.open.is_empty() {
            let epoch = lease.epoch();
            let first_epoch = *self.first_epoch.get_or_insert(epoch);
            let found = if first_epoch == epoch {
                WriteResult::Written { epoch }
            } else {
                WriteResult::WrittenUnderFormerEpoch { epoch }
            };
            match statements.insert(epoch, &self.open).await {
                Ok(refused) => {
                    let refused = self.report_written(refused, epoch, report);
                    if self.lost_at.is_none() || self.report_stored(statements, found, report).await {
                        self.report_refused(&refused, report);
                    }
                    if !self.open.is_empty() {
                        tokio::time::sleep(self.timing.backoff).await;
                    }
                }
                // The statement before was given the same values, so it wrote nothing either.
                Err(error @ StoreError::ValueRefused(_)) => {
                    return self.settle_halves(&error, statements, lease, report).await;
                }
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        messages = self.open.len(),
                        "a batch waits to be written"
                    );
                    // That the lease is lost is an answer as well: this statement wrote nothing.
                    if !matches!(error, StoreError::LeaseLost) {
                        self.lost_at = Some(Instant::now());
                    }
                    tokio::time::sleep(self.timing.backoff).await;
                    if self.lost_at.is_some() {
                        self.report_stored(statements, found, report).await;
                    }
                }
            }
            if Instant::now() > self.give_up_at && !self.open.is_empty() {
                lease.give_up(epoch);
                return self.open.into_iter().for_each(|item| report(item, WriteResult::Unknown { epoch }));
            }
        }
    }

    /// Reports what a statement wrote just now. What it refused stays open.
    fn report_written(
        &mut self,
        refused: Vec<(MessageId, Refusal)>,
        epoch: i64,
        report: &mut impl FnMut(T, WriteResult),
    ) -> HashMap<MessageId, Refusal> {
        let refused: HashMap<MessageId, Refusal> = refused.into_iter().collect();
        self.report_those(|item| !refused.contains_key(&item.id()), WriteResult::Written { epoch }, report);
        refused
    }

    /// Reports what is refused for good. That a snapshot is stale proves nothing while a statement that was sent before may
    /// still run, because it does not make this statement wait for that one, as a key does.
    fn report_refused(
        &mut self,
        refused: &HashMap<MessageId, Refusal>,
        report: &mut impl FnMut(T, WriteResult),
    ) {
        let may_still_run = self.lost_at.is_some_and(|at| at.elapsed() < self.timing.statement_timeout);
        for item in std::mem::take(&mut self.open) {
            match refused.get(&item.id()) {
                Some(Refusal::Stale) if may_still_run => self.open.push(item),
                Some(refusal) => report(item, WriteResult::Refused(*refusal)),
                None => self.open.push(item),
            }
        }
    }

    /// Reports those of the open ones that are stored. False when the database did not answer.
    async fn report_stored(
        &mut self,
        statements: &impl Statements<T>,
        found: WriteResult,
        report: &mut impl FnMut(T, WriteResult),
    ) -> bool {
        let ids: Vec<MessageId> = self.open.iter().map(Item::id).collect();
        match statements.stored_among(&ids).await {
            Ok(written) => {
                let written: HashSet<MessageId> = written.into_iter().collect();
                self.report_those(|item| written.contains(&item.id()), found, report);
                true
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    messages = ids.len(),
                    "whether a batch is stored could not be asked"
                );
                false
            }
        }
    }

    fn report_those(
        &mut self,
        of: impl Fn(&T) -> bool,
        result: WriteResult,
        report: &mut impl FnMut(T, WriteResult),
    ) {
        let (told, open): (Vec<T>, Vec<T>) = std::mem::take(&mut self.open).into_iter().partition(of);
        self.open = open;
        told.into_iter().for_each(|item| report(item, result));
    }

    /// Settles the halves of a batch separately after one of its values was refused for good, down to the item that has it.
    async fn settle_halves(
        self,
        error: &StoreError,
        statements: &impl Statements<T>,
        lease: &Lease,
        report: &mut impl FnMut(T, WriteResult),
    ) {
        if self.open.len() <= 1 {
            tracing::error!(error = error as &dyn std::error::Error, "a message cannot be stored");
            return self.open.into_iter().for_each(|item| report(item, WriteResult::ValueRefused));
        }
        let Self { mut open, lost_at, first_epoch, give_up_at, timing } = self;
        let later = open.split_off(open.len() / 2);
        for open in [open, later] {
            let half = Self { open, lost_at, first_epoch, give_up_at, timing };
            Box::pin(half.settle(statements, lease, report)).await;
        }
    }
}

#[cfg(test)]
mod tests;
