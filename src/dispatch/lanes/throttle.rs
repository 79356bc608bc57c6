//! What the receiver of a lane asked for: not before a time, and no more than a rate. It begins when the receiver says that
//! it is asked too often, and ends when it has not said so for a while.

use std::time::{Duration, Instant};

use crate::domain::delivery::LONGEST_CLOSURE;
use crate::domain::id::EndpointId;
use crate::store::ThrottleNote;

use super::learned_rate::LearnedRate;
use super::window::LoadSignal;

/// What was learned is forgotten so long after the last refusal.
pub(super) const KEPT_AFTER_REFUSAL: Duration = Duration::from_secs(600);
/// While it only grows, the rate is written down this often at most.
const GROWTH_NOTED_EVERY: Duration = Duration::from_secs(5);
/// What a lane queues in memory or has claimed is sent within about this time.
const WORK_AHEAD: Duration = Duration::from_secs(10);

/// What a receiver asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::dispatch) struct Throttle {
    closed_until: Option<Instant>,
    kept_until: Instant,
    rate: LearnedRate,
    noted_at: Option<Instant>,
    /// It waits to be written down.
    pub(super) in_notes: bool,
}

impl Throttle {
    /// One that begins now: whether the receiver named a wait, and how many requests a second it bore before.
    pub(super) fn begin(asked: bool, borne: Option<f64>, now: Instant) -> Self {
        Self {
            closed_until: None,
            kept_until: now + KEPT_AFTER_REFUSAL,
            rate: LearnedRate::unknown(asked, borne),
            noted_at: None,
            in_notes: false,
        }
    }

    /// One that another node has, or that was written down.
    pub(super) fn told(note: &ThrottleNote, now: Instant) -> Self {
        Self {
            closed_until: Some(now + note.closed_for),
            kept_until: now + note.kept_for,
            rate: LearnedRate::known(note.learned_rate),
            noted_at: None,
            in_notes: false,
        }
    }

    /// Another node, or this one a moment ago, wrote that down. The rate is that of the node that sends.
    pub(super) fn hear(&mut self, note: &ThrottleNote, now: Instant) {
        self.closed_until = self.closed_until.max(Some(now + note.closed_for));
        self.kept_until = self.kept_until.max(now + note.kept_for);
    }

    /// The same on a node that does not send, which takes the rate over as well.
    pub(super) fn follow(&mut self, note: &ThrottleNote, now: Instant) {
        self.hear(note, now);
        self.rate = LearnedRate::known(note.learned_rate);
    }

    /// A request was answered. Returns whether that is to be written down.
    pub(super) fn record(&mut self, signal: LoadSignal, now: Instant) -> bool {
        match signal {
            LoadSignal::TooFast(asked) => {
                if !self.is_closed(now) {
                    self.rate.refuse(asked.is_some(), now);
                }
                let closed_for = asked.unwrap_or_default().min(LONGEST_CLOSURE);
                self.closed_until = self.closed_until.max(Some(now + closed_for));
                self.kept_until = self.kept_until.max(now + closed_for + KEPT_AFTER_REFUSAL);
                true
            }
            LoadSignal::Overload => {
                self.rate.overload(now);
                self.has_old_note(now)
            }
            LoadSignal::Success => {
                self.rate.grow();
                self.has_old_note(now)
            }
            LoadSignal::Neutral => false,
        }
    }

    fn has_old_note(&self, now: Instant) -> bool {
        self.noted_at.is_none_or(|at| now >= at + GROWTH_NOTED_EVERY)
    }

    /// What to write down.
    pub(super) fn note(&mut self, endpoint_id: EndpointId, now: Instant) -> ThrottleNote {
        self.in_notes = false;
        self.noted_at = Some(now);
        ThrottleNote {
            endpoint_id,
            closed_for: self
                .closed_until
                .map(|until| until.saturating_duration_since(now))
                .unwrap_or_default(),
            kept_for: self.kept_until.saturating_duration_since(now),
            learned_rate: self.rate.per_second(),
        }
    }

    /// A request is sent now.
    pub(super) fn spend(&mut self, now: Instant) {
        self.rate.spend(now);
    }

    pub(super) fn is_closed(&self, now: Instant) -> bool {
        self.closed_until(now).is_some()
    }

    /// Until when nothing is sent, if that is not over.
    pub(super) fn closed_until(&self, now: Instant) -> Option<Instant> {
        self.closed_until.filter(|until| *until > now)
    }

    /// When the next request may be sent, if that is not yet.
    pub(super) fn waits_until(&self, now: Instant) -> Option<Instant> {
        self.closed_until(now).max(self.rate.waits_until(now))
    }

    /// Until when it holds.
    pub(super) fn kept_until(&self) -> Instant {
        self.kept_until
    }

    /// How many deliveries are sent in the time for which work is taken on ahead.
    pub(super) fn work_ahead(&self) -> usize {
        let count = self.rate.per_second() * WORK_AHEAD.as_secs_f64();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate is neither negative nor beyond its bound"
        )]
        let count = count.ceil() as usize;
        count.max(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn too_fast(seconds: u64) -> LoadSignal {
        LoadSignal::TooFast(Some(Duration::from_secs(seconds)))
    }

    #[test]
    fn it_closes_for_what_was_asked_for_within_bounds() {
        let now = Instant::now();
        for (asked, closed) in [(1, 1), (5, 5), (100_000, 3_600)] {
            let mut throttle = Throttle::begin(true, None, now);
            assert!(throttle.record(too_fast(asked), now));
            let until = now + Duration::from_secs(closed);
            assert_eq!((throttle.closed_until(now), throttle.closed_until(until)), (Some(until), None));
            assert_eq!(throttle.kept_until(), until + KEPT_AFTER_REFUSAL);
        }
    }

    #[test]
    fn who_asks_for_no_wait_gets_less_and_is_not_left_alone() {
        let now = Instant::now();
        let mut throttle = Throttle::begin(false, None, now);
        assert!(throttle.record(LoadSignal::TooFast(None), now));
        assert_eq!((throttle.closed_until(now), throttle.waits_until(now)), (None, None));
        throttle.spend(now);
        assert!(throttle.waits_until(now) >= Some(now + Duration::from_millis(100)));
    }

    #[test]
    fn a_later_answer_never_opens_it_sooner() {
        let now = Instant::now();
        let mut throttle = Throttle::begin(true, None, now);
        throttle.record(too_fast(60), now);
        let note = throttle.note(EndpointId::generate(), now);
        throttle.record(too_fast(1), now);
        throttle.hear(&ThrottleNote { closed_for: Duration::ZERO, ..note }, now);
        assert_eq!(throttle.closed_until(now), Some(now + Duration::from_secs(60)));
    }

    #[test]
    fn another_node_goes_on_where_it_was() {
        let now = Instant::now();
        let mut throttle = Throttle::begin(true, None, now);
        throttle.record(too_fast(60), now);
        let note = throttle.note(EndpointId::generate(), now);
        let mut elsewhere = Throttle::told(&note, now);
        assert_eq!(elsewhere.note(note.endpoint_id, now), note);
    }
}
