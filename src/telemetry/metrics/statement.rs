//! How long statements take, by the name that their text begins with.

use std::time::Instant;

use metrics::{Counter, Histogram};

use super::values::record;

/// The handles of one statement.
#[derive(Clone)]
pub(super) struct Statement {
    pub(super) seconds: Histogram,
    pub(super) errors: Counter,
}

/// A statement under way. One that nobody waits for any more is not counted.
pub struct StatementTimer {
    statement: Statement,
    began: Instant,
}

impl StatementTimer {
    pub(super) fn begin(statement: Statement) -> Self {
        Self { statement, began: Instant::now() }
    }

    /// It ended, well or not.
    pub fn ended(self, well: bool) {
        if !well {
            self.statement.errors.increment(1);
        }
        record(&self.statement.seconds, self.began.elapsed());
    }
}
