//! How many requests at once a receiver is trusted to bear: the window of a lane.
//!
//! A lane that just opened begins with one, and each good answer adds one, until the endpoint's limit or the first
//! sign of overload: what a receiver missed while it was away does not flatten it when it comes back. From there on
//! (and from the beginning, for a lane that did not just open) a sign of overload halves the window, and each full
//! window of good answers adds one. It is never above the limit and never below one.

/// What a finished request says about the load that the receiver bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dispatch) enum Bearing {
    /// It took it.
    Well,
    /// It is overloaded (429, 502, 504, a timeout): fewer at once.
    Overloaded,
    /// It failed in a way that says nothing of its load.
    Unknown,
}

/// A window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dispatch) struct Window {
    size: u32,
    limit: u32,
    /// Good answers since it last grew.
    good: u32,
    /// Each good answer counts.
    opening: bool,
}

impl Window {
    /// As wide as it may be.
    pub(in crate::dispatch) fn full(limit: u32) -> Self {
        let limit = limit.max(1);
        Self { size: limit, limit, good: 0, opening: false }
    }

    /// One request at a time to begin with.
    pub(in crate::dispatch) fn opening(limit: u32) -> Self {
        let limit = limit.max(1);
        Self { size: 1, limit, good: 0, opening: limit > 1 }
    }

    /// Requests at once.
    pub(in crate::dispatch) fn size(self) -> usize {
        self.size as usize
    }

    /// Whether it is as wide as it may be.
    pub(in crate::dispatch) fn is_full(self) -> bool {
        self.size == self.limit
    }

    /// Takes a new limit over. One that was opening goes on from where it is; any other is as wide as it may be.
    pub(in crate::dispatch) fn limit_to(&mut self, limit: u32) {
        let limit = limit.max(1);
        if limit == self.limit {
            return;
        }
        *self = if self.opening {
            let size = self.size.min(limit);
            Self { size, limit, good: 0, opening: size < limit }
        } else {
            Self::full(limit)
        };
    }

    /// Takes an answer into account.
    pub(in crate::dispatch) fn bear(&mut self, bearing: Bearing) {
        match bearing {
            Bearing::Well => {
                self.good += 1;
                if self.opening || self.good >= self.size {
                    self.good = 0;
                    self.size = (self.size + 1).min(self.limit);
                }
            }
            Bearing::Overloaded => {
                self.good = 0;
                self.size = (self.size / 2).max(1);
            }
            Bearing::Unknown => {}
        }
        self.opening &= bearing != Bearing::Overloaded && self.size < self.limit;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bearing() -> impl Strategy<Value = Bearing> {
        prop_oneof![4 => Just(Bearing::Well), 1 => Just(Bearing::Overloaded), 1 => Just(Bearing::Unknown)]
    }

    fn window() -> impl Strategy<Value = Window> {
        (0..40u32, any::<bool>())
            .prop_map(|(limit, opens)| if opens { Window::opening(limit) } else { Window::full(limit) })
    }

    proptest! {
        #[test]
        fn it_stays_between_one_and_its_limit_and_grows_by_success_alone(
            mut window in window(),
            answers in prop::collection::vec((bearing(), prop::option::weighted(0.05, 0..40u32)), 0..300),
        ) {
            for (bearing, limit) in answers {
                let before = window;
                window.bear(bearing);
                prop_assert!(window.size >= 1 && window.size <= window.limit);
                match bearing {
                    Bearing::Well => prop_assert!(window.size == before.size || window.size == before.size + 1),
                    Bearing::Overloaded => prop_assert_eq!(window.size, (before.size / 2).max(1)),
                    Bearing::Unknown => prop_assert_eq!(window.size, before.size),
                }
                if let Some(limit) = limit {
                    window.limit_to(limit);
                    prop_assert!(window.size >= 1 && window.size <= limit.max(1));
                }
            }
        }

        #[test]
        fn one_that_opens_is_full_after_as_many_good_answers_as_it_is_wide(limit in 1..200u32, failures in 0..20u32) {
            let mut window = Window::opening(limit);
            for _ in 0..failures {
                window.bear(Bearing::Unknown);
            }
            for wide in 1..limit {
                prop_assert_eq!(window.size, wide);
                window.bear(Bearing::Well);
            }
            prop_assert!(window.is_full());
            prop_assert_eq!(window, Window::full(limit));
        }

        #[test]
        fn overload_ends_the_opening(limit in 4..200u32, good in 2..100u32) {
            let mut window = Window::opening(limit);
            for _ in 0..good {
                window.bear(Bearing::Well);
            }
            window.bear(Bearing::Overloaded);
            let halved = window.size;
            window.bear(Bearing::Well);
            // Now it takes a full window of good answers, which for a window of one is the next answer.
            prop_assert_eq!(window.size, if halved == 1 { 2 } else { halved });
        }
    }
}
