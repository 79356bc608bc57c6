//! One attempt, first or not: sign → send → decide → record.

use std::sync::Arc;
use std::time::Instant;

use crate::domain::chance;
use crate::domain::delivery::attempt::{AttemptOutcome, Failure};
use crate::domain::delivery::next_step;
use crate::domain::endpoint::Endpoint;
use crate::domain::id::EndpointId;
use crate::record::Outcome;
use crate::send::unsendable;
use crate::sign::{SignError, sign};

use super::lanes::window::Bearing;
use super::{Delivery, Dispatcher};

/// Works on a delivery whose turn has come, and frees its lane's place whatever happens.
pub(super) async fn execute(dispatcher: Arc<Dispatcher>, delivery: Delivery) {
    let mut turn =
        Turn { dispatcher: dispatcher.clone(), endpoint: delivery.endpoint.id, bearing: Bearing::Unknown };
    if !dispatcher.parts.lease.covers(delivery.epoch) {
        // Another epoch owns it now; the database has it.
        return;
    }
    if delivery.claim.is_some_and(|claim| Instant::now() > claim.start_by) {
        return dispatcher.give_back(vec![delivery], false);
    }
    let endpoint = dispatcher.current(&delivery.endpoint);
    let attempt = dispatcher.attempt(&endpoint, &delivery).await;
    turn.bearing = bearing(&attempt);
    if dispatcher.losses.strike() {
        return;
    }
    let attempts_made = delivery.attempts.saturating_add(1);
    let next = next_step(&attempt, attempts_made, &endpoint.policy.retry_schedule, chance::fraction());
    dispatcher
        .recorder
        .push(Outcome {
            message: delivery.message,
            endpoint,
            epoch: delivery.epoch,
            lease: delivery.claim.map(|claim| claim.token),
            attempts_made,
            trigger: delivery.trigger,
            attempt,
            next,
            keep: delivery.room,
        })
        .await;
}

impl Dispatcher {
    async fn attempt(&self, endpoint: &Endpoint, delivery: &Delivery) -> AttemptOutcome {
        let message = &delivery.message;
        if message.payload.is_empty() {
            return unsendable("the message's content was removed");
        }
        match sign(&endpoint.keys, message.id, &message.payload, self.parts.clock.now()) {
            Ok(signature) => self.parts.sender.send(endpoint, message, signature).await,
            Err(SignError::NoLiveKey) => unsendable("the endpoint has no live signing key"),
        }
    }
}

fn bearing(attempt: &AttemptOutcome) -> Bearing {
    match attempt.failure {
        None => Bearing::Well,
        Some(Failure::Overloaded | Failure::Timeout) => Bearing::Overloaded,
        Some(_) => Bearing::Unknown,
    }
}

/// A turn in a lane, given back when the work is over, even by a panic.
struct Turn {
    dispatcher: Arc<Dispatcher>,
    endpoint: EndpointId,
    bearing: Bearing,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let reopened = self.dispatcher.lanes().finished(self.endpoint, self.bearing, Instant::now());
        if reopened {
            self.dispatcher.agenda.schedule_by(self.endpoint, Instant::now());
        }
        self.dispatcher.pump();
        self.dispatcher.finished.notify_waiters();
    }
}
