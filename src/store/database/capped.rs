//! Numbers that are counted up to a bound, because what is counted may be of any size.

/// A number that was counted up to a bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capped {
    /// So many, or the bound.
    pub count: i64,
    /// There are at least so many.
    pub is_capped: bool,
}

impl Capped {
    /// What was counted up to `bound` and one more.
    #[must_use]
    pub fn of(count: i64, bound: i64) -> Self {
        Self { count: count.min(bound), is_capped: count > bound }
    }

    /// What was counted up to `bound` and no further: at the bound there may be more.
    #[must_use]
    pub fn up_to(count: i64, bound: i64) -> Self {
        Self { count: count.min(bound), is_capped: count >= bound }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_at_its_bound_is_exact_and_above_it_is_not() {
        assert_eq!(Capped::of(5, 5), Capped { count: 5, is_capped: false });
        assert_eq!(Capped::of(6, 5), Capped { count: 5, is_capped: true });
    }

    #[test]
    fn a_count_that_ended_at_its_bound_says_that_there_are_at_least_so_many() {
        assert_eq!(Capped::up_to(4, 5), Capped { count: 4, is_capped: false });
        assert_eq!(Capped::up_to(5, 5), Capped { count: 5, is_capped: true });
        assert_eq!(Capped::up_to(9, 5), Capped { count: 5, is_capped: true });
    }
}
