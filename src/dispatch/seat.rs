//! Hand-over from ingest: a place that is reserved in memory before the delivery is written, so that the row can be
//! born owned by this node.

use std::sync::Arc;
use std::time::Instant;

use crate::domain::delivery::DeliveryState;
use crate::domain::delivery::attempt::Trigger;
use crate::domain::endpoint::Endpoint;
use crate::domain::message::SharedMessage;
use crate::lease::Mark;

use super::lanes::Admission;
use super::{Delivery, Dispatcher, Room, Share};

/// A reserved place. Dropping it gives it back.
pub struct Seat {
    dispatcher: Arc<Dispatcher>,
    endpoint: Arc<Endpoint>,
    share: Option<Share>,
}

/// Where a new delivery is born.
pub enum Place {
    /// In this node's memory.
    Seat(Seat),
    /// In the queue, because memory or its lane is full.
    Waiting,
    /// In the queue, because its endpoint is closed or everything is paused.
    Held,
}

impl Place {
    /// The state that its row is inserted with.
    pub fn state(&self) -> DeliveryState {
        match self {
            Self::Seat(_) => DeliveryState::InFlight,
            Self::Waiting => DeliveryState::Waiting,
            Self::Held => DeliveryState::Held,
        }
    }
}

impl Dispatcher {
    /// Lets go what took its place, however much that is: the threads are woken once.
    pub fn go(self: &Arc<Self>) {
        let dispatcher = self.clone();
        self.parts.threads.spawn(async move { dispatcher.pump() });
    }

    /// Reserves a place for a first attempt with a payload of this size.
    pub fn admit(self: &Arc<Self>, endpoint: &Arc<Endpoint>, payload_bytes: usize) -> Place {
        let Some(share) = self.memory.reserve_first(payload_bytes) else {
            let closed = endpoint.closed || self.lanes().is_paused();
            return if closed { Place::Held } else { Place::Waiting };
        };
        match self.lanes().reserve(endpoint) {
            Admission::Reserved => {
                Place::Seat(Seat { dispatcher: self.clone(), endpoint: endpoint.clone(), share: Some(share) })
            }
            Admission::Full => Place::Waiting,
            Admission::Closed => Place::Held,
        }
    }
}

impl Seat {
    /// Takes the place: the delivery is stored, and owned under `epoch`. It goes once the dispatcher is told to
    /// [`go`](Dispatcher::go).
    pub fn take(mut self, message: SharedMessage, epoch: i64, mark: Arc<Mark>) {
        if self.dispatcher.losses.strike() {
            return;
        }
        let Some(share) = self.share.take() else { return };
        let mark = Some(mark).filter(|_| !self.dispatcher.losses.strike());
        let delivery = Delivery {
            message,
            endpoint: self.endpoint.clone(),
            epoch,
            claim: None,
            attempts: 0,
            trigger: Trigger::Scheduled,
            room: Room { _share: share, _mark: mark, _claim: None },
        };
        let closed = self.dispatcher.lanes().push_first(&self.endpoint, delivery, Instant::now());
        if let Some(delivery) = closed {
            self.dispatcher.give_back(vec![delivery], true);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.share.is_some() {
            self.dispatcher.lanes().cancel(self.endpoint.id);
        }
    }
}
