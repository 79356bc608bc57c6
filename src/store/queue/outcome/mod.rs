//! The batch writer's statements for outcomes: the attempts and what follows from them, in one commit. Guards compare
//! owner and lease, so a node that lost its right changes nothing.
//!
//! [`settled`] is the happy path: deliveries that arrived at their first attempt, in one statement. [`recorded`] is
//! everything else: one statement moves the deliveries and inserts their attempts, and what follows from those that
//! moved is a short statement each, in the same transaction: back into the queue or out of it ([`requeue`]), into the
//! dead letters ([`bury`]), what operational webhooks report ([`report`]), the statistics ([`count`]), and the end of
//! endpoints that answered 410 ([`gone`]).

mod bury;
mod count;
mod gone;
mod recorded;
mod report;
mod requeue;
mod settled;

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::delivery::attempt::{AttemptOutcome, Failure, Timings, Trigger};
use crate::domain::delivery::{DeliveryState, NextStep};
use crate::domain::id::{ApplicationId, EndpointId, MessageId};

/// An attempt that was made and what is to follow from it.
#[derive(Debug)]
pub struct OutcomeRow<'a> {
    /// Of which message.
    pub message_id: MessageId,
    /// To which endpoint.
    pub endpoint_id: EndpointId,
    /// Of which application.
    pub application_id: ApplicationId,
    /// Where the request went.
    pub url: &'a str,
    /// The lease of a claimed row; `None` for one that was born leased.
    pub lease: Option<DateTime<Utc>>,
    /// Counting this attempt.
    pub attempts_made: u16,
    /// Of these, those that were refused as too fast.
    pub refusals: u16,
    /// Why it was made.
    pub trigger: Trigger,
    /// How it ended.
    pub outcome: &'a AttemptOutcome,
    /// What follows.
    pub next: NextStep,
}

impl OutcomeRow<'_> {
    const fn state(&self) -> DeliveryState {
        match self.next {
            NextStep::Settle => DeliveryState::Delivered,
            NextStep::RetryAfter(_) => DeliveryState::Waiting,
            NextStep::Bury(_) => DeliveryState::Dead,
        }
    }

    fn number(&self) -> i16 {
        i16::try_from(self.attempts_made).unwrap_or(i16::MAX)
    }

    fn http_status(&self) -> Option<i16> {
        self.outcome.http_status.and_then(|status| i16::try_from(status).ok())
    }

    fn duration_ms(&self) -> i32 {
        i32::try_from(self.outcome.duration.as_millis()).unwrap_or(i32::MAX)
    }
}

/// The columns that every attempt has.
#[derive(Default)]
struct AttemptColumns<'a> {
    ids: Vec<Uuid>,
    messages: Vec<Uuid>,
    endpoints: Vec<Uuid>,
    numbers: Vec<i16>,
    triggers: Vec<&'static str>,
    failures: Vec<Option<&'static str>>,
    statuses: Vec<Option<i16>>,
    headers: Vec<Json<&'a [(String, String)]>>,
    bodies: Vec<&'a [u8]>,
    durations: Vec<i32>,
    urls: Vec<&'a str>,
    steps: StepColumns,
}

/// How long the steps of each attempt took, in microseconds.
#[derive(Default)]
struct StepColumns {
    resolve: Vec<Option<i32>>,
    connect: Vec<Option<i32>>,
    tls: Vec<Option<i32>>,
    first_byte: Vec<Option<i32>>,
}

impl StepColumns {
    fn push(&mut self, timings: &Timings) {
        let stored =
            |took: Option<Duration>| took.map(|took| i32::try_from(took.as_micros()).unwrap_or(i32::MAX));
        self.resolve.push(stored(timings.resolve));
        self.connect.push(stored(timings.connect));
        self.tls.push(stored(timings.tls));
        self.first_byte.push(stored(timings.first_byte));
    }
}

impl<'a> AttemptColumns<'a> {
    fn of(rows: &[OutcomeRow<'a>]) -> Self {
        let mut columns = Self::default();
        for row in rows {
            let outcome = row.outcome;
            columns.ids.push(outcome.id.uuid());
            columns.messages.push(row.message_id.uuid());
            columns.endpoints.push(row.endpoint_id.uuid());
            columns.numbers.push(row.number());
            columns.triggers.push(row.trigger.name());
            columns.failures.push(outcome.failure.map(Failure::name));
            columns.statuses.push(row.http_status());
            columns.headers.push(Json(outcome.response_headers.as_slice()));
            columns.bodies.push(&outcome.response_body);
            columns.durations.push(row.duration_ms());
            columns.urls.push(row.url);
            columns.steps.push(&outcome.timings);
        }
        columns
    }
}
