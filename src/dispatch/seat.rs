//! Hand-over from ingest: a place that is reserved in memory before the delivery is written, so that the row can be
//! born owned by this node.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::OwnedSemaphorePermit;

use crate::domain::attempt::Trigger;
use crate::domain::delivery::DeliveryState;
use crate::domain::endpoint::Endpoint;
use crate::domain::message::SharedMessage;
use crate::lease::Mark;

use super::lanes::Admission;
use super::{Delivery, Dispatcher, Room};

/// What a delivery takes up besides its payload, in bytes.
const OVERHEAD_BYTES: usize = 512;

/// A reserved place. Dropping it gives it back.
pub struct Seat {
    dispatcher: Arc<Dispatcher>,
    endpoint: Arc<Endpoint>,
    bytes: Option<OwnedSemaphorePermit>,
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
    /// Reserves a place for a first attempt with a payload of this size.
    pub fn admit(self: &Arc<Self>, endpoint: &Arc<Endpoint>, payload_bytes: usize) -> Place {
        let Some(bytes) = self.reserve_bytes(payload_bytes) else {
            let closed = endpoint.closed || self.lanes().is_paused();
            return if closed { Place::Held } else { Place::Waiting };
        };
        match self.lanes().reserve(endpoint) {
            Admission::Reserved => {
                Place::Seat(Seat { dispatcher: self.clone(), endpoint: endpoint.clone(), bytes: Some(bytes) })
            }
            Admission::Full => Place::Waiting,
            Admission::Closed => Place::Held,
        }
    }

    pub(super) fn reserve_bytes(&self, payload_bytes: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(payload_bytes + OVERHEAD_BYTES).ok()?;
        self.memory.clone().try_acquire_many_owned(bytes).ok()
    }
}

impl Seat {
    /// Takes the place: the delivery is stored, and owned under `epoch`.
    pub fn take(mut self, message: SharedMessage, epoch: i64, mark: Arc<Mark>) {
        let Some(bytes) = self.bytes.take() else { return };
        let delivery = Delivery {
            message,
            endpoint: self.endpoint.clone(),
            epoch,
            claim: None,
            attempts: 0,
            trigger: Trigger::Scheduled,
            room: Room { _bytes: bytes, _mark: Some(mark) },
        };
        let closed = self.dispatcher.lanes().push_first(&self.endpoint, delivery, Instant::now());
        match closed {
            None => self.dispatcher.pump(),
            Some(delivery) => {
                let dispatcher = self.dispatcher.clone();
                tokio::spawn(async move { dispatcher.give_back(vec![delivery], true).await });
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.bytes.is_some() {
            self.dispatcher.lanes().cancel(self.endpoint.id);
        }
    }
}
