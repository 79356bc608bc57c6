//! How many requests at once an endpoint gets: the window of its lane, which follows what its receiver can take, as TCP's
//! congestion window follows the network (RFC 5681).
//!
//! A sign of overload halves the window, and each full window of successes adds one. A lane that opens again begins with one
//! request, so that a backlog does not overload a receiver that has just come back. Each success adds one, up to what
//! the receiver bore before; beyond that, one is added for a full window of successes, but not more often than once a
//! second. Of a receiver of which nothing is known, each full window of successes adds one. It is never above the endpoint's
//! limit and never below one.

use std::time::{Duration, Instant};

/// What a finished request says about the load of its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dispatch) enum LoadSignal {
    /// It took the request.
    Success,
    /// It is overloaded (502, 503, 504, a timeout), or out of reach.
    Overload,
    /// It was asked too often (429, or 503 with a `Retry-After`), and wants to be left alone for so long.
    TooFast(Option<Duration>),
    /// It failed in a way that says nothing about its load.
    Neutral,
}

/// Beyond what the receiver bore before, the window grows this often at most.
pub(super) const GROWS_BEYOND_BORNE_EVERY: Duration = Duration::from_secs(1);

/// A window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    size: u32,
    limit: u32,
    /// Since it last grew.
    successes: u32,
    /// Below this, each success adds one.
    fast_below: u32,
    /// What the receiver bore when the lane was last closed or stuck, if that is known.
    borne: Option<u32>,
    grew_at: Option<Instant>,
}

impl Window {
    /// As wide as the limit.
    pub(super) fn full(limit: u32) -> Self {
        let limit = limit.max(1);
        Self { size: limit, limit, successes: 0, fast_below: 1, borne: None, grew_at: None }
    }

    /// One request at a time to begin with, for a receiver that bore so many before.
    pub(super) fn opening(limit: u32, borne: Option<u32>) -> Self {
        Self { size: 1, fast_below: borne.unwrap_or(1), borne, ..Self::full(limit) }
    }

    /// Requests at once.
    pub(super) fn size(self) -> usize {
        self.size as usize
    }

    /// Whether it is as wide as the limit.
    pub(super) fn is_full(self) -> bool {
        self.size == self.limit
    }

    /// Sets a new limit. One that is narrow goes on from where it is; any other is as wide as the new limit.
    pub(super) fn set_limit(&mut self, limit: u32) {
        let limit = limit.max(1);
        if self.is_full() {
            *self = Self::full(limit);
        } else {
            (self.size, self.limit) = (self.size.min(limit), limit);
        }
    }

    /// Takes a finished request into account. `borne` is what the receiver bore lately.
    pub(super) fn record(&mut self, signal: LoadSignal, borne: Option<u32>, now: Instant) {
        match signal {
            LoadSignal::Success => {
                self.successes += 1;
                if !self.is_full() && self.may_grow(now) {
                    self.successes = 0;
                    self.size += 1;
                    self.grew_at = Some(now);
                }
            }
            LoadSignal::Overload => {
                self.successes = 0;
                self.size = (self.size / 2).max(1);
                self.fast_below = 1;
                if self.size == 1 {
                    self.borne = borne;
                }
            }
            LoadSignal::TooFast(_) => *self = Self::opening(self.limit, borne),
            LoadSignal::Neutral => {}
        }
    }

    fn may_grow(self, now: Instant) -> bool {
        let is_beyond = self.borne.is_some_and(|borne| self.size >= borne);
        let grew_lately = self.grew_at.is_some_and(|at| now < at + GROWS_BEYOND_BORNE_EVERY);
        self.size < self.fast_below || (self.successes >= self.size && !(is_beyond && grew_lately))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signal() -> impl Strategy<Value = LoadSignal> {
        let too_fast = Just(LoadSignal::TooFast(None));
        prop_oneof![
            8 => Just(LoadSignal::Success),
            2 => Just(LoadSignal::Overload),
            2 => Just(LoadSignal::Neutral),
            1 => too_fast
        ]
    }

    fn window() -> impl Strategy<Value = Window> {
        (0..40u32, prop::option::of(prop::option::of(1..60u32))).prop_map(|(limit, opened)| match opened {
            Some(borne) => Window::opening(limit, borne),
            None => Window::full(limit),
        })
    }

    proptest! {
        #[test]
        fn it_stays_between_one_and_its_limit_and_grows_by_success_alone(
            mut window in window(),
            signals in prop::collection::vec((signal(), prop::option::weighted(0.05, 0..40u32)), 0..300),
        ) {
            let now = Instant::now();
            for (signal, limit) in signals {
                let before = window;
                window.record(signal, Some(5), now);
                prop_assert!(window.size >= 1 && window.size <= window.limit);
                match signal {
                    LoadSignal::Success => prop_assert!(window.size == before.size || window.size == before.size + 1),
                    LoadSignal::Overload => prop_assert_eq!(window.size, (before.size / 2).max(1)),
                    LoadSignal::TooFast(_) => prop_assert_eq!(window.size, 1),
                    LoadSignal::Neutral => prop_assert_eq!(window.size, before.size),
                }
                if let Some(limit) = limit {
                    let was_narrow = !window.is_full();
                    let size = window.size;
                    window.set_limit(limit);
                    prop_assert!(window.size >= 1 && window.size <= limit.max(1));
                    prop_assert!(!was_narrow || window.size <= size);
                }
            }
        }

        #[test]
        fn it_opens_quickly_up_to_what_was_borne_and_slowly_beyond(limit in 1..200u32, borne in 1..200u32) {
            let mut now = Instant::now();
            let mut window = Window::opening(limit, Some(borne));
            for wide in 1..borne.min(limit) {
                prop_assert_eq!(window.size, wide);
                window.record(LoadSignal::Success, None, now);
            }
            prop_assert_eq!(window.size, borne.min(limit));
            now += GROWS_BEYOND_BORNE_EVERY;
            for wide in borne..limit {
                for _ in 0..1_000 {
                    window.record(LoadSignal::Success, None, now);
                }
                prop_assert_eq!(window.size, wide + 1, "once a second, however many succeed");
                now += GROWS_BEYOND_BORNE_EVERY;
            }
            prop_assert!(window.is_full());
        }

        #[test]
        fn without_knowledge_each_full_window_of_successes_adds_one(limit in 1..200u32, failures in 0..20u32) {
            let now = Instant::now();
            let mut window = Window::opening(limit, None);
            for _ in 0..failures {
                window.record(LoadSignal::Neutral, None, now);
            }
            for wide in 1..limit {
                prop_assert_eq!(window.size, wide);
                (0..wide).for_each(|_| window.record(LoadSignal::Success, None, now));
            }
            prop_assert!(window.is_full());
        }

        #[test]
        fn overload_ends_fast_growth(limit in 4..200u32, successes in 2..100u32) {
            let now = Instant::now();
            let mut window = Window::opening(limit, Some(limit));
            for _ in 0..successes {
                window.record(LoadSignal::Success, None, now);
            }
            window.record(LoadSignal::Overload, None, now);
            let halved = window.size;
            window.record(LoadSignal::Success, None, now);
            // Now it takes a full window of successes, which for a window of one is the next one.
            prop_assert_eq!(window.size, if halved == 1 { 2 } else { halved });
        }
    }
}
