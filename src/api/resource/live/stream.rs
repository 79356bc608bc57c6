//! One stream: what it says, in which order, and why it ends.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::Event;
use futures_util::Stream;
use serde::Serialize;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::api::conventions::caller::Standing;
use crate::api::credential::Caller;
use crate::api::state::SharedState;
use crate::api::stream_rooms::StreamRoom;
use crate::domain::live::report::Report;
use crate::domain::live::scope::Scope;
use crate::live::Subscription;

use super::pace::{Pace, evenly};
use super::shape::{LiveAttempt, LiveBye, LiveCounters, LiveHello, LiveMessage};
use super::topics::Topics;

/// How soon a client comes back after a break.
const RETRY: Duration = Duration::from_millis(2_000);
const COUNTERS_EVERY: Duration = Duration::from_secs(2);
/// How often it is looked whether the credential still holds.
const CREDENTIAL_EVERY: Duration = Duration::from_secs(4);

/// What happened since the counters were last told.
#[derive(Default)]
struct Counted {
    accepted: u64,
    delivered: u64,
    failed: u64,
}

/// A stream.
pub(super) struct LiveStream {
    state: SharedState,
    caller: Caller,
    scope: Scope,
    topics: Topics,
    standing: Standing,
    subscription: Subscription,
    /// Until it ends: whoever does not take the end makes nobody wait.
    room: Option<StreamRoom>,
    waiting: VecDeque<Event>,
    pace: Pace,
    counted: Counted,
    counted_since: Instant,
    seconds: Interval,
    counters: Interval,
    credential: Interval,
    is_over: bool,
}

fn every(period: Duration) -> Interval {
    let mut interval = tokio::time::interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

impl LiveStream {
    pub(super) fn new(
        state: SharedState,
        watcher: (Caller, Standing),
        scope: Scope,
        topics: Topics,
        subscription: Subscription,
        room: StreamRoom,
    ) -> Self {
        let (caller, standing) = watcher;
        let mut stream = Self {
            state,
            caller,
            scope,
            topics,
            standing,
            subscription,
            room: Some(room),
            waiting: VecDeque::new(),
            pace: Pace::default(),
            counted: Counted::default(),
            counted_since: Instant::now(),
            seconds: every(Duration::from_secs(1)),
            counters: every(COUNTERS_EVERY),
            credential: every(CREDENTIAL_EVERY),
            is_over: false,
        };
        let at = stream.state.authenticator.clock().now();
        stream.say("hello", &LiveHello { at });
        stream.waiting = stream.waiting.into_iter().map(|hello| hello.retry(RETRY)).collect();
        stream
    }

    /// The events, one after the other.
    pub(super) fn events(self) -> impl Stream<Item = Result<Event, Infallible>> + Send {
        futures_util::stream::unfold(self, |mut stream| async move {
            let event = stream.next().await?;
            Some((Ok(event), stream))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.is_over {
                return None;
            }
            tokio::select! {
                () = self.state.streams.hub.stopping() => self.end("shutting_down"),
                _ = self.credential.tick() => {
                    if !self.standing.holds(&self.state).await {
                        self.end("signed_out");
                    }
                }
                _ = self.seconds.tick() => {
                    if let Some(sampled) = self.pace.turn(1.0) {
                        self.say("sampled", &sampled);
                    }
                }
                _ = self.counters.tick(), if self.topics.counters => self.tell_counters().await,
                report = self.subscription.next() => match report {
                    Some(report) => self.tell(&report).await,
                    None => self.end("too_slow"),
                },
            }
        }
    }

    async fn tell(&mut self, report: &Report) {
        self.counted.accepted += report.accepted;
        self.counted.delivered += report.delivered;
        self.counted.failed += report.failed;
        if self.topics.messages {
            let told = self.pace.admit(report.accepted, report.messages.len());
            for message in evenly(&report.messages, told) {
                let name = self.state.streams.name_of(message.application).await;
                let event = event("message", &LiveMessage::of(message, name.as_deref()));
                self.waiting.extend(event);
            }
        }
        if self.topics.attempts {
            let told = self.pace.admit(report.delivered + report.failed, report.attempts.len());
            let shown = |seen| event("attempt", &LiveAttempt::shown_to(&self.caller, seen));
            self.waiting.extend(evenly(&report.attempts, told).filter_map(shown));
        }
    }

    async fn tell_counters(&mut self) {
        let counted = std::mem::take(&mut self.counted);
        let seconds = std::mem::replace(&mut self.counted_since, Instant::now()).elapsed().as_secs_f64();
        let rate = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / seconds.max(0.001);
        let counters = LiveCounters {
            at: self.state.authenticator.clock().now(),
            accepted_per_second: rate(counted.accepted),
            delivered_per_second: rate(counted.delivered),
            failed_per_second: rate(counted.failed),
            in_flight: None,
            due: None,
            dead_open: None,
        };
        let gauges = self.state.streams.gauges(&self.scope).await;
        self.say("counters", &counters.with(gauges));
    }

    fn end(&mut self, reason: &'static str) {
        self.is_over = true;
        self.room = None;
        self.say("bye", &LiveBye { reason });
    }

    fn say(&mut self, name: &str, data: &impl Serialize) {
        self.waiting.extend(event(name, data));
    }
}

/// An event with one line of JSON.
fn event(name: &str, data: &impl Serialize) -> Option<Event> {
    Event::default().event(name).json_data(data).ok()
}
