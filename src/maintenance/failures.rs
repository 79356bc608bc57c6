//! What fails in a round: an error of one part stops no other part, and the first one is that of the round.

use crate::store::StoreError;

/// The errors of a round, or of a part that does the same for many.
#[derive(Debug, Default)]
pub(super) struct Failures {
    first: Option<StoreError>,
    count: u32,
}

impl Failures {
    /// What a part found or did, unless it failed. Errors after the first are told here, because nobody hears of them otherwise.
    pub(super) fn note<T>(&mut self, part: &str, result: Result<T, StoreError>) -> Option<T> {
        let error = match result {
            Ok(done) => return Some(done),
            Err(error) => error,
        };
        self.count += 1;
        if self.first.is_some() {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                part,
                "another part of maintenance failed"
            );
        } else {
            self.first = Some(error);
        }
        None
    }

    /// Whether so many have failed. Where every one fails, such as without a database, nothing is gained by trying all.
    pub(super) fn are(&self, many: u32) -> bool {
        self.count >= many
    }

    /// The first error, if there was one.
    ///
    /// # Errors
    /// That.
    pub(super) fn first(self) -> Result<(), StoreError> {
        self.first.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_is_that_of_the_round_and_what_was_done_counts() {
        let mut failures = Failures::default();
        assert_eq!(failures.note("a", Ok(1)), Some(1));
        assert!(!failures.are(1));
        assert_eq!(failures.note::<u64>("b", Err(StoreError::LeaseLost)), None);
        assert_eq!(failures.note::<u64>("c", Err(StoreError::Conflict("another"))), None);
        assert_eq!(failures.note("d", Ok(2)), Some(2));
        assert!(failures.are(2) && !failures.are(3));
        assert!(matches!(failures.first(), Err(StoreError::LeaseLost)));
        assert!(Failures::default().first().is_ok());
    }
}
