//! How an endpoint answers: what changed about it since that was last written down.

use chrono::{DateTime, Utc};

/// The last failed attempt of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastFailure {
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// The answer's status, if there was an answer.
    pub status: Option<u16>,
    /// What went wrong.
    pub failure: &'static str,
    /// The beginning of the answer, or a sentence on why there was none.
    pub error: String,
}

/// Successes and failures in their order, as far as it matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthChange {
    /// There was a success.
    pub succeeded: bool,
    /// Failures since the last success.
    pub failures: u32,
    /// The first of them.
    pub failing_since: Option<DateTime<Utc>>,
    /// The last failure, before or after a success.
    pub last: Option<LastFailure>,
}

impl HealthChange {
    /// Something was answered 2xx.
    pub fn succeed(&mut self) {
        self.succeeded = true;
        self.failures = 0;
        self.failing_since = None;
    }

    /// An attempt failed.
    pub fn fail(&mut self, failure: LastFailure) {
        self.failures = self.failures.saturating_add(1);
        self.failing_since.get_or_insert(failure.at);
        self.last = Some(failure);
    }

    /// Puts what happened before this in front of it.
    pub fn follow(&mut self, before: Self) {
        if !self.succeeded {
            self.succeeded = before.succeeded;
            self.failures = self.failures.saturating_add(before.failures);
            self.failing_since = before.failing_since.or(self.failing_since);
        }
        self.last = self.last.take().or(before.last);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn change(answers: &[(usize, bool)]) -> HealthChange {
        let mut change = HealthChange::default();
        for (second, well) in answers {
            let at = DateTime::from_timestamp(i64::try_from(*second).unwrap(), 0).unwrap();
            if *well {
                change.succeed();
            } else {
                change.fail(LastFailure { at, status: None, failure: "timeout", error: String::new() });
            }
        }
        change
    }

    proptest! {
        #[test]
        fn parts_that_follow_one_another_are_the_whole(answers in prop::collection::vec(any::<bool>(), 0..20), cut in 0usize..20) {
            let answers: Vec<_> = answers.into_iter().enumerate().collect();
            let (before, after) = answers.split_at(cut.min(answers.len()));
            let mut joined = change(after);
            joined.follow(change(before));
            prop_assert_eq!(joined, change(&answers));
        }
    }
}
