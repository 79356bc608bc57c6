//! How long statements take, by the name that their text begins with.

use std::time::Instant;

use metrics::{Counter, Histogram};

use super::named::OTHER;
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

/// The name that a statement begins with, as in `-- delivery::settle`; that of a transaction's beginning and end.
#[must_use]
pub(super) fn name_of(sql: &str) -> &str {
    let sql = sql.trim_start();
    match sql.strip_prefix("-- ") {
        Some(rest) => rest.lines().next().unwrap_or(OTHER).trim(),
        None if matches!(sql, "BEGIN" | "COMMIT" | "ROLLBACK") => sql,
        None => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_known_by_its_first_line() {
        assert_eq!(name_of("-- delivery::settle\n  UPDATE delivery"), "delivery::settle");
        assert_eq!(name_of("\n   -- node::beat\nUPDATE"), "node::beat");
        assert_eq!(name_of("BEGIN"), "BEGIN");
        assert_eq!(name_of("SELECT 'org_secret'"), "other");
    }
}
