//! How many requests at once an endpoint gets: the window of its lane, which follows what its receiver can take, as TCP's
//! congestion window follows the network.
//!
//! A lane that was opened a moment ago is in slow start: it begins with one, and each success adds one, until the
//! endpoint's limit or the first sign of overload, so that a backlog does not overload a receiver that has just come back.
//! From there on (and from the beginning, for a lane that was not just opened) a sign of overload halves the window, and
//! each full window of successes adds one. It is never above the limit and never below one.

use std::time::Duration;

/// What a finished request says about the load of its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dispatch) enum LoadSignal {
    /// It took the request.
    Success,
    /// It is overloaded (502, 503, 504, a timeout).
    Overload,
    /// It was asked too often (429, or 503 with a `Retry-After`), and wants to be left alone for so long.
    TooFast(Option<Duration>),
    /// It failed in a way that says nothing about its load.
    Neutral,
}

/// A window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    size: u32,
    limit: u32,
    /// Since it last grew.
    successes: u32,
    /// Each success adds one.
    in_slow_start: bool,
}

impl Window {
    /// As wide as the limit.
    pub(super) fn full(limit: u32) -> Self {
        let limit = limit.max(1);
        Self { size: limit, limit, successes: 0, in_slow_start: false }
    }

    /// One request at a time to begin with.
    pub(super) fn slow_start(limit: u32) -> Self {
        let limit = limit.max(1);
        Self { size: 1, limit, successes: 0, in_slow_start: limit > 1 }
    }

    /// Requests at once.
    pub(super) fn size(self) -> usize {
        self.size as usize
    }

    /// Whether it is as wide as the limit.
    pub(super) fn is_full(self) -> bool {
        self.size == self.limit
    }

    /// Sets a new limit. One in slow start goes on from where it is; any other is as wide as the new limit.
    pub(super) fn set_limit(&mut self, limit: u32) {
        let limit = limit.max(1);
        if limit == self.limit {
            return;
        }
        *self = if self.in_slow_start {
            let size = self.size.min(limit);
            Self { size, limit, successes: 0, in_slow_start: size < limit }
        } else {
            Self::full(limit)
        };
    }

    /// Takes a finished request into account.
    pub(super) fn record(&mut self, signal: LoadSignal) {
        match signal {
            LoadSignal::Success => {
                self.successes += 1;
                if self.in_slow_start || self.successes >= self.size {
                    self.successes = 0;
                    self.size = (self.size + 1).min(self.limit);
                }
            }
            LoadSignal::Overload | LoadSignal::TooFast(_) => {
                self.successes = 0;
                self.size = (self.size / 2).max(1);
            }
            LoadSignal::Neutral => {}
        }
        let is_overloaded = matches!(signal, LoadSignal::Overload | LoadSignal::TooFast(_));
        self.in_slow_start &= !is_overloaded && self.size < self.limit;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signal() -> impl Strategy<Value = LoadSignal> {
        prop_oneof![4 => Just(LoadSignal::Success), 1 => Just(LoadSignal::Overload), 1 => Just(LoadSignal::Neutral)]
    }

    fn window() -> impl Strategy<Value = Window> {
        (0..40u32, any::<bool>())
            .prop_map(|(limit, opened)| if opened { Window::slow_start(limit) } else { Window::full(limit) })
    }

    proptest! {
        #[test]
        fn it_stays_between_one_and_its_limit_and_grows_by_success_alone(
            mut window in window(),
            signals in prop::collection::vec((signal(), prop::option::weighted(0.05, 0..40u32)), 0..300),
        ) {
            for (signal, limit) in signals {
                let before = window;
                window.record(signal);
                prop_assert!(window.size >= 1 && window.size <= window.limit);
                match signal {
                    LoadSignal::Success => prop_assert!(window.size == before.size || window.size == before.size + 1),
                    LoadSignal::Overload | LoadSignal::TooFast(_) => {
                        prop_assert_eq!(window.size, (before.size / 2).max(1));
                    }
                    LoadSignal::Neutral => prop_assert_eq!(window.size, before.size),
                }
                if let Some(limit) = limit {
                    window.set_limit(limit);
                    prop_assert!(window.size >= 1 && window.size <= limit.max(1));
                }
            }
        }

        #[test]
        fn slow_start_ends_after_as_many_successes_as_the_window_is_wide(limit in 1..200u32, failures in 0..20u32) {
            let mut window = Window::slow_start(limit);
            for _ in 0..failures {
                window.record(LoadSignal::Neutral);
            }
            for wide in 1..limit {
                prop_assert_eq!(window.size, wide);
                window.record(LoadSignal::Success);
            }
            prop_assert!(window.is_full());
            prop_assert_eq!(window, Window::full(limit));
        }

        #[test]
        fn overload_ends_slow_start(limit in 4..200u32, successes in 2..100u32) {
            let mut window = Window::slow_start(limit);
            for _ in 0..successes {
                window.record(LoadSignal::Success);
            }
            window.record(LoadSignal::Overload);
            let halved = window.size;
            window.record(LoadSignal::Success);
            // Now it takes a full window of successes, which for a window of one is the next one.
            prop_assert_eq!(window.size, if halved == 1 { 2 } else { halved });
        }
    }
}
