//! Settles a batch: every message in it ends as written, refused, or of unknown fate. Nothing else than this decides
//! what a producer is told.
//!
//! An answer of the database that is lost says nothing. The statement may have been committed, may fail, or may still
//! be running, in which case even a question that is answered says less than it seems to. So the batch is sent again
//! under the same ids: a statement that still runs makes the second one wait for it, and the second one is then
//! refused by the keys, the `eventId`s or the ids of the first. From the first lost answer on, every refusal is
//! therefore checked against what is stored: a message that is there was written by us, whatever the refusal says.
//!
//! A batch that stays open for too long is given up. The lease is given up with it, so that what was committed after
//! all goes back to the queue when the next epoch begins; until then its marks keep the low-water mark down.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use crate::domain::id::MessageId;
use crate::lease::Lease;
use crate::store::{Refusal, StoreError};

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    /// A batch that is open for longer is given up.
    pub(super) patience: Duration,
    /// The wait before the database is asked again.
    pub(super) backoff: Duration,
    /// No statement runs for longer than this: the server ends it.
    pub(super) statement_timeout: Duration,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is stored, and what was born in memory is owned under this epoch.
    Written {
        /// The epoch.
        epoch: i64,
    },
    /// It is stored under this epoch or under one before it. What the earlier one owned is in the queue already.
    WrittenByThen {
        /// The epoch.
        epoch: i64,
    },
    /// It is not stored, and will not be.
    Refused(Refusal),
    /// The database refuses one of its values, for good.
    ValueRefused,
    /// Nobody can tell. If it is stored after all, it is under this epoch or one before it.
    Unknown {
        /// The epoch.
        epoch: i64,
    },
}

/// What is in a batch.
pub(super) trait Item {
    fn id(&self) -> MessageId;
}

/// The two statements that a batch is settled by.
pub(super) trait Statements<T> {
    /// Writes all of them in one commit but those that it returns as refused.
    async fn insert(&self, epoch: i64, batch: &[T]) -> Result<Vec<(MessageId, Refusal)>, StoreError>;

    /// Which of these are stored.
    async fn written(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError>;
}

/// A batch on its way to be settled.
pub(super) struct Batch<T> {
    open: Vec<T>,
    /// When an answer was last lost: what is refused from then on may be refused by itself.
    lost_at: Option<Instant>,
    /// The epoch that it was first sent under.
    first_epoch: Option<i64>,
    give_up_at: Instant,
    timing: Timing,
}

impl<T: Item> Batch<T> {
    /// A batch that nothing is known of yet.
    pub(super) fn new(items: Vec<T>, timing: Timing) -> Self {
        let give_up_at = Instant::now() + timing.patience;
        Self { open: items, lost_at: None, first_epoch: None, give_up_at, timing }
    }

    /// Settles it, and tells of each item what became of it.
    pub(super) async fn settle(
        mut self,
        statements: &impl Statements<T>,
        lease: &Lease,
        tell: &mut impl FnMut(T, Fate),
    ) {
        while !self.open.is_empty() {
            let epoch = lease.epoch();
            let first_epoch = *self.first_epoch.get_or_insert(epoch);
            let found =
                if first_epoch == epoch { Fate::Written { epoch } } else { Fate::WrittenByThen { epoch } };
            match statements.insert(epoch, &self.open).await {
                Ok(refused) => {
                    let refused = self.tell_written(refused, epoch, tell);
                    if self.lost_at.is_none() || self.ask(statements, found, tell).await {
                        self.tell_refused(&refused, tell);
                    }
                    if !self.open.is_empty() {
                        tokio::time::sleep(self.timing.backoff).await;
                    }
                }
                // The statement before was given the same values, so it wrote nothing either.
                Err(error @ StoreError::ValueRefused(_)) => {
                    return self.settle_apart(&error, statements, lease, tell).await;
                }
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        messages = self.open.len(),
                        "a batch waits to be written"
                    );
                    // A lost lease is an answer: this statement wrote nothing.
                    if !matches!(error, StoreError::LeaseLost) {
                        self.lost_at = Some(Instant::now());
                    }
                    tokio::time::sleep(self.timing.backoff).await;
                    if self.lost_at.is_some() {
                        self.ask(statements, found, tell).await;
                    }
                }
            }
            if Instant::now() > self.give_up_at && !self.open.is_empty() {
                lease.renounce(epoch);
                return self.open.into_iter().for_each(|item| tell(item, Fate::Unknown { epoch }));
            }
        }
    }

    /// Tells of what a statement wrote just now. What it refused stays open.
    fn tell_written(
        &mut self,
        refused: Vec<(MessageId, Refusal)>,
        epoch: i64,
        tell: &mut impl FnMut(T, Fate),
    ) -> HashMap<MessageId, Refusal> {
        let refused: HashMap<MessageId, Refusal> = refused.into_iter().collect();
        self.tell_some(|item| !refused.contains_key(&item.id()), Fate::Written { epoch }, tell);
        refused
    }

    /// Tells of what is refused for good. A stale snapshot is no proof while a statement that was sent before may
    /// still run: unlike a key, it would not have made this statement wait for that one.
    fn tell_refused(&mut self, refused: &HashMap<MessageId, Refusal>, tell: &mut impl FnMut(T, Fate)) {
        let may_still_run = self.lost_at.is_some_and(|at| at.elapsed() < self.timing.statement_timeout);
        for item in std::mem::take(&mut self.open) {
            match refused.get(&item.id()) {
                Some(Refusal::Stale) if may_still_run => self.open.push(item),
                Some(refusal) => tell(item, Fate::Refused(*refusal)),
                None => self.open.push(item),
            }
        }
    }

    /// Asks which of the open ones are stored, and tells of those. False when the question was not answered.
    async fn ask(
        &mut self,
        statements: &impl Statements<T>,
        found: Fate,
        tell: &mut impl FnMut(T, Fate),
    ) -> bool {
        let ids: Vec<MessageId> = self.open.iter().map(Item::id).collect();
        match statements.written(&ids).await {
            Ok(written) => {
                let written: HashSet<MessageId> = written.into_iter().collect();
                self.tell_some(|item| written.contains(&item.id()), found, tell);
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

    fn tell_some(&mut self, of: impl Fn(&T) -> bool, fate: Fate, tell: &mut impl FnMut(T, Fate)) {
        let (told, open): (Vec<T>, Vec<T>) = std::mem::take(&mut self.open).into_iter().partition(of);
        self.open = open;
        told.into_iter().for_each(|item| tell(item, fate));
    }

    /// Settles the halves of a batch one value of which is refused for good, down to the item that has it.
    async fn settle_apart(
        self,
        error: &StoreError,
        statements: &impl Statements<T>,
        lease: &Lease,
        tell: &mut impl FnMut(T, Fate),
    ) {
        if self.open.len() <= 1 {
            tracing::error!(error = error as &dyn std::error::Error, "a message cannot be stored");
            return self.open.into_iter().for_each(|item| tell(item, Fate::ValueRefused));
        }
        let Self { mut open, lost_at, first_epoch, give_up_at, timing } = self;
        let later = open.split_off(open.len() / 2);
        for open in [open, later] {
            let half = Self { open, lost_at, first_epoch, give_up_at, timing };
            Box::pin(half.settle(statements, lease, tell)).await;
        }
    }
}
