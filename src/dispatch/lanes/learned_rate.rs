//! How many requests a second a receiver takes, learned from its answers: more with each success, less with each refusal, as
//! TCP learns the pace of a network.
//!
//! It begins with one a second and grows fast until the first refusal, or what the receiver bore before, if that is known. From there on a refusal takes a part off, and
//! successes bring it back slowly to where the receiver refused, so that most of the time goes by just below that. Beyond it,
//! growth is in proportion to the rate, since the receiver may take far more by now. Growth comes with successes, so a rate
//! that nobody uses does not grow.

use std::time::{Duration, Instant};

/// Requests a second, to begin with and at the least and the most.
const FIRST: f64 = 1.0;
const SLOWEST: f64 = 0.1;
/// The first and the least while the receiver has named no wait: it may refuse for other reasons than the pace, and then
/// slowing down changes nothing.
const SLOWEST_UNASKED: f64 = 10.0;
const FASTEST: f64 = 100_000.0;
/// What a refusal leaves of the rate; the first one comes while the rate grows fast.
const LEFT_BY_FIRST_REFUSAL: f64 = 0.7;
const LEFT_BY_REFUSAL: f64 = 0.85;
/// What a timeout or another sign of overload leaves.
const LEFT_BY_OVERLOAD: f64 = 0.5;
/// Growth in a second: until the first refusal, and beyond the last one (or what was borne) as a share of the rate itself, below the last one as
/// a share of the rate that was refused.
const GROWTH_BEFORE_REFUSAL: f64 = 0.7;
const GROWTH_BEYOND_REFUSED: f64 = 0.1;
const GROWTH_TOWARDS_REFUSED: f64 = 0.04;
/// The same for one success at the most, so that a slow receiver has not to refuse every few requests.
const MOST_GROWTH_BEYOND_REFUSED: f64 = 0.025;
const MOST_GROWTH_TOWARDS_REFUSED: f64 = 0.01;
/// What is answered in this time after the rate was cut was sent before that, and says nothing new.
const CUT_AT_MOST_EVERY: Duration = Duration::from_secs(1);
/// A request that is sent late, because a timer was, does not delay the next by more than this.
const MAX_CATCH_UP: Duration = Duration::from_millis(20);

/// A learned rate, and when it allows the next request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LearnedRate {
    per_second: f64,
    slowest: f64,
    /// What the receiver bore before its first refusal, if that is known.
    borne: Option<f64>,
    /// The rate at the last cut.
    refused: Option<f64>,
    cut_at: Option<Instant>,
    next_at: Option<Instant>,
}

impl LearnedRate {
    /// Nothing was refused yet. It is known whether the receiver has named a wait, and perhaps what it bore before.
    pub(super) fn unknown(asked: bool, borne: Option<f64>) -> Self {
        let (first, slowest) = if asked { (FIRST, SLOWEST) } else { (SLOWEST_UNASKED, SLOWEST_UNASKED) };
        Self { per_second: first, slowest, borne, refused: None, cut_at: None, next_at: None }
    }

    /// What was learned before, by whichever node.
    pub(super) fn known(per_second: f64) -> Self {
        let per_second = per_second.clamp(SLOWEST, FASTEST);
        let slowest = if per_second < SLOWEST_UNASKED { SLOWEST } else { SLOWEST_UNASKED };
        Self { per_second, slowest, borne: None, refused: Some(per_second), cut_at: None, next_at: None }
    }

    /// Requests a second.
    pub(super) fn per_second(self) -> f64 {
        self.per_second
    }

    /// The receiver refused a request as too fast, and named a wait or not.
    pub(super) fn refuse(&mut self, asked: bool, now: Instant) {
        if asked {
            self.slowest = SLOWEST;
        }
        self.cut(if self.refused.is_some() { LEFT_BY_REFUSAL } else { LEFT_BY_FIRST_REFUSAL }, now);
    }

    /// The receiver is overloaded.
    pub(super) fn overload(&mut self, now: Instant) {
        self.cut(LEFT_BY_OVERLOAD, now);
    }

    fn cut(&mut self, left: f64, now: Instant) {
        if self.cut_at.is_none_or(|at| now >= at + CUT_AT_MOST_EVERY) {
            self.cut_at = Some(now);
            self.refused = Some(self.per_second);
            self.per_second = (self.per_second * left).max(self.slowest);
        }
    }

    /// The receiver took a request.
    pub(super) fn grow(&mut self) {
        // So many successes come in a second, which together are to add the growth of a second.
        let step = match self.refused {
            None if self.borne.is_none_or(|borne| self.per_second < borne) => GROWTH_BEFORE_REFUSAL,
            Some(refused) if self.per_second < refused => {
                refused * (GROWTH_TOWARDS_REFUSED / self.per_second).min(MOST_GROWTH_TOWARDS_REFUSED)
            }
            _ => GROWTH_BEYOND_REFUSED.min(MOST_GROWTH_BEYOND_REFUSED * self.per_second),
        };
        self.per_second = (self.per_second + step).min(FASTEST);
    }

    /// A request is sent now.
    pub(super) fn spend(&mut self, now: Instant) {
        let earliest = now.checked_sub(MAX_CATCH_UP).unwrap_or(now);
        let from = self.next_at.map_or(now, |at| at.max(earliest));
        self.next_at = Some(from + Duration::from_secs_f64(1.0 / self.per_second));
    }

    /// When the next request may be sent, if that is not yet.
    pub(super) fn waits_until(&self, now: Instant) -> Option<Instant> {
        self.next_at.filter(|at| *at > now)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// A receiver that takes so many requests in any second.
    struct Receiver {
        limit: usize,
        taken: VecDeque<Instant>,
    }

    impl Receiver {
        fn takes(&mut self, now: Instant) -> bool {
            while self.taken.front().is_some_and(|at| *at + Duration::from_secs(1) <= now) {
                self.taken.pop_front();
            }
            let takes = self.taken.len() < self.limit;
            if takes {
                self.taken.push_back(now);
            }
            takes
        }
    }

    /// How many of so many requests were refused, and how long it took. After a refusal nothing is sent for a second.
    fn send(rate: &mut LearnedRate, count: usize, limit: usize) -> (usize, Duration) {
        let began = Instant::now();
        let mut receiver = Receiver { limit, taken: VecDeque::new() };
        let (mut now, mut taken, mut refused) = (began, 0, 0);
        while taken < count {
            now = rate.waits_until(now).unwrap_or(now);
            rate.spend(now);
            if receiver.takes(now) {
                taken += 1;
                rate.grow();
            } else {
                refused += 1;
                rate.refuse(true, now);
                now += Duration::from_secs(1);
            }
        }
        (refused, now - began)
    }

    #[test]
    fn a_receivers_pace_is_found_and_kept_with_few_refusals() {
        for limit in [1, 5, 50, 1_000] {
            let mut rate = LearnedRate::unknown(true, None);
            send(&mut rate, limit * 20, limit);
            let (refused, took) = send(&mut rate, limit * 60, limit);
            assert!(refused <= limit * 60 / 8, "{refused} refusals at {limit} a second");
            assert!(took <= Duration::from_secs(130), "{took:?} at {limit} a second");
        }
    }

    #[test]
    fn it_follows_a_receiver_that_takes_more_by_now() {
        let mut rate = LearnedRate::unknown(true, None);
        send(&mut rate, 100, 5);
        let (_, took) = send(&mut rate, 5_000, 500);
        assert!(rate.per_second() > 100.0, "{rate:?} after {took:?}");
    }

    #[test]
    fn it_grows_fast_up_to_what_was_borne_before_and_slowly_beyond() {
        let after = |successes: usize| {
            let mut rate = LearnedRate::unknown(true, Some(20.0));
            (0..successes).for_each(|_| rate.grow());
            rate.per_second()
        };
        assert!((20.0..21.0).contains(&after(28)), "{}", after(28));
        assert!(after(28 + 20) <= 20.0 * 1.15, "a tenth a second: {}", after(28 + 20));
        assert!(after(2_000) > 100.0, "without end");
    }

    #[test]
    fn answers_to_what_was_sent_together_cut_it_once() {
        let now = Instant::now();
        let mut rate = LearnedRate::known(100.0);
        (0..16).for_each(|_| rate.refuse(true, now));
        assert!((rate.per_second() - 85.0).abs() < 0.01);
        rate.overload(now + CUT_AT_MOST_EVERY);
        assert!((rate.per_second() - 42.5).abs() < 0.01);
    }

    #[test]
    fn who_refuses_whatever_the_pace_is_not_slowed_down_without_end() {
        let mut now = Instant::now();
        let mut rate = LearnedRate::unknown(false, None);
        for _ in 0..1_000 {
            now += CUT_AT_MOST_EVERY;
            rate.refuse(false, now);
        }
        assert!(rate.per_second() >= SLOWEST_UNASKED);
        rate.refuse(true, now + CUT_AT_MOST_EVERY);
        assert!(rate.per_second() < SLOWEST_UNASKED, "it has named a wait");
    }

    #[test]
    fn it_has_bounds() {
        let mut now = Instant::now();
        let mut rate = LearnedRate::unknown(true, None);
        for _ in 0..1_000 {
            now += CUT_AT_MOST_EVERY;
            rate.overload(now);
        }
        assert!(rate.per_second() >= SLOWEST);
        assert!(LearnedRate::known(f64::INFINITY).per_second() <= FASTEST);
        rate.spend(now);
        assert_eq!(rate.waits_until(now), Some(now + Duration::from_secs(10)));
    }
}
