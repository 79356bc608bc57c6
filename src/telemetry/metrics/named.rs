//! Handles that are found by a name: of statements, and of errors that are answered. There are as many names as the
//! code has, and a bound all the same.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Instant;

use metrics::{Counter, Histogram};

use super::catalogue as all;
use super::values::record;
use super::{Metrics, current};

/// More names than this are not kept apart.
const MOST_NAMES: usize = 1_000;
/// What has no name, or comes on top.
const OTHER: &str = "other";

/// Handles by name.
pub(super) struct ByName<T> {
    known: RwLock<HashMap<Box<str>, T>>,
}

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self { known: RwLock::default() }
    }
}

impl<T: Clone> ByName<T> {
    /// The handle of this name, made the first time.
    pub(super) fn of(&self, name: &str, make: impl FnOnce() -> T) -> T {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        known.unwrap_or_else(|| {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.entry(name.into()).or_insert_with(make).clone()
        })
    }

    fn has_room_for(&self, name: &str) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.len() < MOST_NAMES || known.contains_key(name)
    }
}

/// The handles of one statement.
#[derive(Clone)]
pub(super) struct Statement {
    seconds: Histogram,
    errors: Counter,
}

/// Times a statement from here on; `None` when nothing is measured.
#[must_use]
pub fn time_statement(sql: &str) -> Option<StatementTimer> {
    let metrics = current();
    metrics.is_read.then(|| StatementTimer { statement: metrics.statement(sql), began: Instant::now() })
}

/// A statement under way. One that nobody waits for any more is not counted.
pub struct StatementTimer {
    statement: Statement,
    began: Instant,
}

impl StatementTimer {
    /// It ended, well or not.
    pub fn ended(self, well: bool) {
        if !well {
            self.statement.errors.increment(1);
        }
        record(&self.statement.seconds, self.began.elapsed());
    }
}

impl Metrics {
    fn statement(&self, sql: &str) -> Statement {
        let name = Some(name_of(sql)).filter(|name| self.statements.has_room_for(name)).unwrap_or(OTHER);
        self.statements.of(name, || Statement {
            seconds: self.maker.histogram(all::STATEMENT_SECONDS, &[name]),
            errors: self.maker.counter(all::STATEMENT_ERRORS, &[name]),
        })
    }
}

/// The name that a statement begins with, as in `-- delivery::settle`; that of a transaction's beginning and end.
#[must_use]
pub fn name_of(sql: &str) -> &str {
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
