//! A delivery in this node's memory: message × endpoint, with the right to work on it.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};

use crate::domain::delivery::attempt::Trigger;
use crate::domain::endpoint::Endpoint;
use crate::domain::id::MessageId;
use crate::domain::message::SharedMessage;
use crate::lease::{ClaimGuard, MessageGuard};

use super::MemoryShare;
use super::lanes::Queued;

/// What a delivery holds until it is recorded or handed back. All of it is given up when this is dropped.
#[derive(Debug)]
pub struct DeliveryGuards {
    /// Its share of the memory budget.
    pub(super) _memory: MemoryShare,
    /// Keeps the low-water mark at or below its message; shared by all deliveries of the message.
    pub(super) _message: Option<Arc<MessageGuard>>,
    /// Counts a claimed row as held by this node.
    pub(super) _claim: Option<ClaimGuard>,
}

/// A delivery, ready to be sent when its turn comes.
#[derive(Debug)]
pub struct Delivery {
    /// What is sent.
    pub message: SharedMessage,
    /// Where to. By the time it is sent, the lane may have a newer snapshot.
    pub endpoint: Arc<Endpoint>,
    /// The epoch that it is owned under.
    pub epoch: i64,
    /// If it was claimed from the queue: its lease.
    pub claim: Option<Claim>,
    /// Attempts made before, in this round of the schedule.
    pub attempts: u16,
    /// Of these, those that were refused as too fast.
    pub refusals: u16,
    /// Why it is sent.
    pub trigger: Trigger,
    /// What it holds.
    pub guards: DeliveryGuards,
}

/// The right to work on a row of the queue.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// The lease's end by the database's clock, which is also its token.
    pub token: DateTime<Utc>,
    /// No request begins after this, so that it ends and is recorded within the lease.
    pub start_by: Instant,
    /// It had waited for long, or was there before this node was.
    pub is_backlog: bool,
}

impl Queued for Delivery {
    fn first_attempt_of(&self) -> Option<MessageId> {
        // One that was refused as too fast goes on where it was.
        (self.attempts == self.refusals && self.trigger == Trigger::Scheduled).then_some(self.message.id)
    }

    fn is_backlog(&self) -> bool {
        self.claim.is_some_and(|claim| claim.is_backlog)
    }
}
