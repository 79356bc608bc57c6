//! How much of what happens a stream tells one by one, and what it says of the rest.

use super::shape::LiveSampled;

/// Messages and attempts that a stream tells in a second.
pub(super) const MAX_PER_SECOND: usize = 20;

/// What a stream has told in the second under way.
#[derive(Debug, Default)]
pub(super) struct Pace {
    told: usize,
    of: u64,
    was_sampled: bool,
}

impl Pace {
    /// So many more have happened, of which `known` could be told. How many of those are to be.
    pub(super) fn admit(&mut self, happened: u64, known: usize) -> usize {
        self.of += happened;
        let admitted = known.min(MAX_PER_SECOND.saturating_sub(self.told));
        self.told += admitted;
        admitted
    }

    /// The second is over. What is to be said of it, when something was left out, and once when it is whole again.
    pub(super) fn turn(&mut self, seconds: f64) -> Option<LiveSampled> {
        let Self { told, of, was_sampled } = std::mem::take(self);
        let told = u64::try_from(told).unwrap_or(u64::MAX);
        self.was_sampled = told < of;
        (self.was_sampled || was_sampled).then_some(LiveSampled { shown: told, of, seconds })
    }
}

/// Some of them, evenly picked.
pub(super) fn evenly<T>(all: &[T], count: usize) -> impl Iterator<Item = &T> {
    let length = all.len().max(1);
    let picked = move |place: usize| place * count / length != (place + 1) * count / length;
    all.iter().enumerate().filter(move |(place, _)| picked(*place)).map(|(_, one)| one)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_left_out_is_said_until_it_is_whole_again() {
        let mut pace = Pace::default();
        assert_eq!(pace.admit(8, 8), 8);
        assert_eq!(pace.turn(1.0), None);
        assert_eq!((pace.admit(100, 16), pace.admit(100, 16)), (16, 4));
        assert_eq!(pace.turn(1.0), Some(LiveSampled { shown: 20, of: 200, seconds: 1.0 }));
        assert_eq!(pace.admit(3, 3), 3);
        assert_eq!(pace.turn(1.0), Some(LiveSampled { shown: 3, of: 3, seconds: 1.0 }));
        assert_eq!(pace.turn(1.0), None);
    }

    proptest! {
        #[test]
        fn exactly_so_many_are_picked(length in 0usize..50, count in 0usize..50) {
            let all: Vec<usize> = (0..length).collect();
            prop_assert_eq!(evenly(&all, count.min(length)).count(), count.min(length));
        }
    }
}
