//! One attempt, first or not: sign → send → decide → record.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::domain::chance;
use crate::domain::delivery::attempt::{AttemptOutcome, Failure};
use crate::domain::delivery::{AttemptsMade, next_step};
use crate::domain::endpoint::Endpoint;
use crate::domain::id::{AttemptId, EndpointId};
use crate::record::Outcome;
use crate::send::unsendable;
use crate::sign::{SignError, sign};
use crate::telemetry::traces::{self, Span};

use super::lanes::LoadSignal;
use super::{Delivery, Dispatcher};

/// Works on a delivery whose turn has come, and frees its place in the lane's window whatever happens.
pub(super) async fn execute(dispatcher: Arc<Dispatcher>, delivery: Delivery) {
    let mut slot = InFlightSlot {
        dispatcher: dispatcher.clone(),
        endpoint: delivery.endpoint.id,
        signal: LoadSignal::Neutral,
        took: None,
    };
    if !dispatcher.deps.lease.covers(delivery.epoch) {
        // Another epoch owns its row by now, and delivers it.
        return;
    }
    if delivery.claim.is_some_and(|claim| Instant::now() > claim.start_by) {
        return dispatcher.hand_back(vec![delivery], false);
    }
    let endpoint = dispatcher.newest_snapshot(&delivery.endpoint);
    let span = traces::of_message(delivery.message.trace, "attempt");
    let attempt = {
        let attempting = pin!(dispatcher.attempt(&endpoint, &delivery));
        span.around(attempting).await
    };
    (slot.signal, slot.took) = (load_signal(&attempt), Some(attempt.duration));
    if dispatcher.fault_injection.drops_this() {
        return;
    }
    let made = AttemptsMade {
        all: delivery.attempts.saturating_add(1),
        refusals: delivery.refusals.saturating_add(u16::from(attempt.is_too_fast())),
    };
    describe(&span, &endpoint, &delivery, &attempt, made.all);
    let recording = span.part("record");
    drop(span);
    let next = next_step(&attempt, made, &endpoint.policy, chance::fraction());
    dispatcher
        .recorder
        .push(Outcome {
            message: delivery.message,
            endpoint,
            epoch: delivery.epoch,
            lease: delivery.claim.map(|claim| claim.token),
            attempts_made: made.all,
            refusals: made.refusals,
            trigger: delivery.trigger,
            attempt,
            next,
            guard: delivery.guards,
            recording,
        })
        .await;
}

impl Dispatcher {
    async fn attempt(&self, endpoint: &Endpoint, delivery: &Delivery) -> AttemptOutcome {
        let message = &delivery.message;
        if message.payload.is_empty() {
            return unsendable("the message's content was removed");
        }
        // The time that is signed is the attempt's own, so that its request can be shown later as it was sent.
        let id = AttemptId::generate();
        match sign(&endpoint.keys, message.id, &message.payload, id.created_at()) {
            Ok(signature) => self.deps.sender.send(id, endpoint, message, signature).await,
            Err(SignError::NoLiveKey) => unsendable("the endpoint has no live signing key"),
        }
    }
}

/// Says in a trace what an attempt was and how it ended.
fn describe(span: &Span, endpoint: &Endpoint, delivery: &Delivery, attempt: &AttemptOutcome, number: u16) {
    span.set("postrider.message_id", || delivery.message.id.to_string());
    span.set("postrider.endpoint_id", || endpoint.id.to_string());
    span.set("postrider.attempt", || i64::from(number));
    span.set("server.address", || endpoint.url.host_str().unwrap_or_default().to_owned());
    if let Some(status) = attempt.http_status {
        span.set("http.response.status_code", || i64::from(status));
    }
    if let Some(failure) = attempt.failure {
        span.set("error.type", || failure.name());
        span.fail(failure.name());
    }
}

fn load_signal(attempt: &AttemptOutcome) -> LoadSignal {
    match attempt.failure {
        None => LoadSignal::Success,
        Some(_) if attempt.is_too_fast() => LoadSignal::TooFast(attempt.retry_after),
        // Where nobody is there, nobody bears anything.
        Some(Failure::Overloaded | Failure::Timeout | Failure::Connection | Failure::Dns | Failure::Tls) => {
            LoadSignal::Overload
        }
        Some(Failure::Status) if attempt.http_status == Some(503) => LoadSignal::Overload,
        Some(_) => LoadSignal::Neutral,
    }
}

/// A place in a lane's window. It is freed when this is dropped, even by a panic.
struct InFlightSlot {
    dispatcher: Arc<Dispatcher>,
    endpoint: EndpointId,
    signal: LoadSignal,
    /// How long the request was under way, if it was sent.
    took: Option<Duration>,
}

impl Drop for InFlightSlot {
    fn drop(&mut self) {
        let now = Instant::now();
        let has_room_again = self.dispatcher.lanes().finished(self.endpoint, self.signal, self.took, now);
        if has_room_again {
            self.dispatcher.claim_schedule.schedule_no_later_than(self.endpoint, now);
        }
        self.dispatcher.send_ready();
        self.dispatcher.finished.notify_waiters();
    }
}
