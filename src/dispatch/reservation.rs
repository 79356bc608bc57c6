//! Where a new delivery begins: in this node's memory, if there is a place. The place is reserved before the delivery is
//! written, so that its row can be inserted as owned by this node.

use std::sync::Arc;
use std::time::Instant;

use crate::domain::delivery::DeliveryState;
use crate::domain::delivery::attempt::Trigger;
use crate::domain::endpoint::Endpoint;
use crate::domain::message::SharedMessage;
use crate::lease::MessageGuard;

use super::lanes::Admission;
use super::{Delivery, DeliveryGuards, Dispatcher, MemoryShare};

/// A place in a lane and in memory. It is given up when this is dropped.
pub struct Reservation {
    dispatcher: Arc<Dispatcher>,
    endpoint: Arc<Endpoint>,
    share: Option<MemoryShare>,
}

/// Where a new delivery begins.
pub enum Placement {
    /// In this node's memory.
    InMemory(Reservation),
    /// In the queue, because memory or its lane is full.
    Waiting,
    /// In the queue, because its endpoint is closed or everything is paused.
    Held,
}

impl Placement {
    /// The state that its row is inserted with.
    pub fn state(&self) -> DeliveryState {
        match self {
            Self::InMemory(_) => DeliveryState::InFlight,
            Self::Waiting => DeliveryState::Waiting,
            Self::Held => DeliveryState::Held,
        }
    }
}

impl Dispatcher {
    /// Reserves a place for a first attempt of a message of this size.
    pub fn reserve(self: &Arc<Self>, endpoint: &Arc<Endpoint>, content_bytes: usize) -> Placement {
        let Some(share) = self.memory.reserve_first(content_bytes) else {
            let closed = endpoint.closed || self.lanes().is_paused();
            return if closed { Placement::Held } else { Placement::Waiting };
        };
        match self.lanes().reserve(endpoint) {
            Admission::Reserved => Placement::InMemory(Reservation {
                dispatcher: self.clone(),
                endpoint: endpoint.clone(),
                share: Some(share),
            }),
            Admission::Full => Placement::Waiting,
            Admission::Closed => Placement::Held,
        }
    }

    /// Sends what was put into reserved places, however much that is: the dispatcher's threads are woken once.
    pub fn wake(self: &Arc<Self>) {
        let dispatcher = self.clone();
        self.deps.threads.spawn(async move { dispatcher.send_ready() });
    }
}

impl Reservation {
    /// Puts the delivery in: it is stored, and owned under `epoch`. It is sent once the dispatcher is told to
    /// [`wake`](Dispatcher::wake).
    pub fn fill(mut self, message: SharedMessage, epoch: i64, mark: Arc<MessageGuard>) {
        if self.dispatcher.fault_injection.drops_this() {
            return;
        }
        let Some(share) = self.share.take() else { return };
        let mark = Some(mark).filter(|_| !self.dispatcher.fault_injection.drops_this());
        let delivery = Delivery {
            message,
            endpoint: self.endpoint.clone(),
            epoch,
            claim: None,
            attempts: 0,
            refusals: 0,
            trigger: Trigger::Scheduled,
            guards: DeliveryGuards { _memory: share, _message: mark, _claim: None },
        };
        let refused = self.dispatcher.lanes().push_first(&self.endpoint, delivery, Instant::now());
        if let Some(delivery) = refused {
            let is_closed = !self.dispatcher.lanes().is_elsewhere(self.endpoint.id);
            self.dispatcher.hand_back(vec![delivery], is_closed);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.share.is_some() {
            self.dispatcher.lanes().cancel(self.endpoint.id);
        }
    }
}
