//! A sample of what is too much to be told one by one: each has the same chance to be in it (a reservoir).

/// At most so many are kept, and how many there were is counted.
#[derive(Debug, Clone)]
pub struct Sample<T> {
    kept: Vec<T>,
    seen: u64,
    most: usize,
}

impl<T> Sample<T> {
    /// Nothing seen yet; at most so many will be kept.
    pub const fn of_at_most(most: usize) -> Self {
        Self { kept: Vec::new(), seen: 0, most }
    }

    /// One more. It is made only if it is kept. `chance` is in `[0, 1)`.
    pub fn offer(&mut self, chance: f64, make: impl FnOnce() -> T) {
        self.seen += 1;
        if self.kept.len() < self.most {
            self.kept.push(make());
            return;
        }
        // They are fewer than a float counts exactly.
        let place = (chance * self.seen as f64) as usize;
        if let Some(kept) = self.kept.get_mut(place) {
            *kept = make();
        }
    }

    /// How many there were.
    pub const fn seen(&self) -> u64 {
        self.seen
    }

    /// Adds what another sample has seen, and of what it has kept as much as there is room for.
    pub fn merge(&mut self, other: Self) {
        self.seen += other.seen;
        let room = self.most.saturating_sub(self.kept.len());
        self.kept.extend(other.kept.into_iter().take(room));
    }

    /// What was kept.
    pub fn into_kept(self) -> Vec<T> {
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::chance;

    #[test]
    fn what_has_room_is_kept_whole() {
        let mut sample = Sample::of_at_most(3);
        (0..3).for_each(|number| sample.offer(0.5, || number));
        assert_eq!((sample.seen(), sample.into_kept()), (3, vec![0, 1, 2]));
    }

    #[test]
    fn each_has_the_same_chance() {
        let mut hits = [0u32; 20];
        for _ in 0..20_000 {
            let mut sample = Sample::of_at_most(5);
            for number in 0..20usize {
                sample.offer(chance::fraction(), || number);
            }
            for kept in sample.into_kept() {
                hits[kept] += 1;
            }
        }
        // A quarter of 20,000 each; a thousand more or less is sixteen times the standard deviation.
        assert!(hits.iter().all(|hits| (4_000..6_000).contains(hits)), "{hits:?}");
    }

    proptest! {
        #[test]
        fn it_is_bounded_and_counts_all(chances in prop::collection::vec(0.0f64..1.0, 0..200)) {
            let mut sample = Sample::of_at_most(8);
            for (number, chance) in chances.iter().enumerate() {
                sample.offer(*chance, || number);
            }
            prop_assert_eq!(sample.seen(), chances.len() as u64);
            prop_assert_eq!(sample.into_kept().len(), chances.len().min(8));
        }
    }
}
