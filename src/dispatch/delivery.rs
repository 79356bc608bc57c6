//! A delivery in this node's memory: message × endpoint, with the right to work on it.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};

use crate::domain::delivery::attempt::Trigger;
use crate::domain::endpoint::Endpoint;
use crate::domain::id::MessageId;
use crate::domain::message::SharedMessage;
use crate::lease::{HeldClaim, Mark};
use crate::store::HandBack;

use super::Share;
use super::lanes::lane::Queued;

/// What a delivery takes up until it is recorded or handed back.
#[derive(Debug)]
pub struct Room {
    /// Its share of the memory for payloads.
    pub(super) _share: Share,
    /// Keeps the low-water mark at or below its message; shared by a fan-out.
    pub(super) _mark: Option<Arc<Mark>>,
    /// Says that a claimed row is held here.
    pub(super) _claim: Option<HeldClaim>,
}

/// A delivery, ready to be sent when its turn comes.
#[derive(Debug)]
pub struct Delivery {
    /// What is sent.
    pub message: SharedMessage,
    /// Where it goes. The lane may know a newer snapshot by the time it goes.
    pub endpoint: Arc<Endpoint>,
    /// The epoch that it is owned under.
    pub epoch: i64,
    /// For one that was claimed from the queue: its lease.
    pub claim: Option<Claim>,
    /// Attempts made before, in this round.
    pub attempts: u16,
    /// Why it goes.
    pub trigger: Trigger,
    /// What it takes up.
    pub room: Room,
}

/// The right to work on a row of the queue.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// The lease's end by the database's clock; the token that proves it.
    pub token: DateTime<Utc>,
    /// No request begins after this: what is left of the lease must last for a whole one.
    pub start_by: Instant,
}

impl Queued for Delivery {
    fn first_attempt_of(&self) -> Option<MessageId> {
        (self.attempts == 0 && self.trigger == Trigger::Scheduled).then_some(self.message.id)
    }
}

impl Delivery {
    /// As it goes back to the queue.
    pub fn hand_back(&self, held: bool) -> HandBack {
        HandBack {
            message_id: self.message.id,
            endpoint_id: self.endpoint.id,
            application_id: self.endpoint.application_id,
            lease: self.claim.map(|claim| claim.token),
            held,
        }
    }
}
