//! Which tables a migration keeps others from, read from its text. It knows the statements that migrations are made of, and
//! a test holds it against the locks that Postgres takes (`tests/suite/storage/migrations.rs`).

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

/// What waits for a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Blocked {
    /// Who writes to the table; who reads goes on.
    Writes,
    /// Everybody.
    ReadsAndWrites,
}

/// A table that others wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableLock {
    /// Its name.
    pub table: String,
    /// Who waits.
    pub blocks: Blocked,
}

impl fmt::Display for TableLock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match self.blocks {
            Blocked::Writes => "writes to it wait",
            Blocked::ReadsAndWrites => "reads and writes of it wait",
        };
        write!(formatter, "locks {}: {who}", self.table)
    }
}

/// The locks of a migration on tables that are there before it, by name. Those that it makes are added to `made`.
pub(super) fn read_locks(sql: &str, made: &mut BTreeSet<String>) -> Vec<TableLock> {
    let mut locks: Vec<TableLock> = Vec::new();
    for statement in statements(sql) {
        let words: Vec<&str> = statement.iter().map(String::as_str).collect();
        for (table, blocks) in of_statement(&words, made) {
            if made.contains(table) {
                continue;
            }
            match locks.iter_mut().find(|lock| lock.table == table) {
                Some(lock) => lock.blocks = lock.blocks.max(blocks),
                None => locks.push(TableLock { table: table.to_owned(), blocks }),
            }
        }
    }
    locks.sort_by(|one, other| one.table.cmp(&other.table));
    locks
}

fn of_statement<'a>(words: &[&'a str], made: &mut BTreeSet<String>) -> Vec<(&'a str, Blocked)> {
    use Blocked::{ReadsAndWrites, Writes};
    let named_after = |word: &str| {
        let after = words.iter().skip_while(move |one| **one != word).skip(1);
        after.copied().find(|one| !matches!(*one, "if" | "not" | "exists" | "only" | "concurrently"))
    };
    let mut locks = Vec::new();
    match *words {
        ["create", "table", ..] => {
            if let Some(table) = named_after("table") {
                made.insert(table.to_owned());
            }
            locks.extend(
                named_after("of").filter(|_| words.contains(&"partition")).map(|of| (of, ReadsAndWrites)),
            );
        }
        ["alter", "table", ..] => locks.extend(named_after("table").map(|table| (table, ReadsAndWrites))),
        ["drop" | "lock" | "truncate", "table", ..] => {
            locks.extend(named_after("table").map(|table| (table, ReadsAndWrites)));
        }
        ["create", "index" | "trigger", ..] | ["create", "unique", "index", ..]
            if !words.contains(&"concurrently") =>
        {
            locks.extend(named_after("on").map(|table| (table, Writes)));
        }
        _ => {}
    }
    // A foreign key keeps writers of the table that it names waiting.
    let is_of_table = matches!(*words, ["create" | "alter", "table", ..]);
    let named = words.windows(2).filter_map(|pair| match *pair {
        ["references", table] if is_of_table => Some((table, Writes)),
        _ => None,
    });
    locks.extend(named);
    locks
}

/// The words of each statement, in lower case; what stands in quotes or comments is none.
fn statements(sql: &str) -> Vec<Vec<String>> {
    let mut bare = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(letter) = rest.chars().next() {
        let end = match letter {
            '-' if rest.starts_with("--") => Some("\n"),
            '\'' => Some("'"),
            '$' if rest.starts_with("$$") => Some("$$"),
            _ => None,
        };
        let Some(end) = end else {
            bare.push(letter);
            rest = rest.strip_prefix(letter).unwrap_or_default();
            continue;
        };
        let opening = if end == "\n" { "--" } else { end };
        let inside = rest.strip_prefix(opening).unwrap_or_default();
        rest = inside.split_once(end).map_or("", |(_, after)| after);
        bare.push(' ');
    }
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let words = |statement: &str| -> Vec<String> {
        let words = statement.split(|letter| !is_part(letter)).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect()
    };
    bare.split(';').map(words).filter(|words| !words.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locks(sql: &str) -> Vec<(String, Blocked)> {
        let found = read_locks(sql, &mut BTreeSet::new());
        found.into_iter().map(|lock| (lock.table, lock.blocks)).collect()
    }

    #[test]
    fn tables_that_are_there_are_told_with_who_waits() {
        let found = locks(
            "ALTER TABLE IF EXISTS ONLY a ADD COLUMN b int; -- ALTER TABLE no\n
             CREATE UNIQUE INDEX IF NOT EXISTS i ON c (d); CREATE INDEX CONCURRENTLY j ON e (f);
             CREATE TABLE g (h text DEFAULT 'ALTER TABLE no;' REFERENCES k (l)); CREATE INDEX ON g (h);
             CREATE INDEX m ON a (n); UPDATE o SET p = 1; DROP TABLE q;
             CREATE FUNCTION r() RETURNS void LANGUAGE sql AS $$ ALTER TABLE no ADD b int; $$;",
        );
        let expected = [
            ("a", Blocked::ReadsAndWrites),
            ("c", Blocked::Writes),
            ("k", Blocked::Writes),
            ("q", Blocked::ReadsAndWrites),
        ];
        assert_eq!(found, expected.map(|(table, blocks)| (table.to_owned(), blocks)));
    }

    #[test]
    fn what_an_earlier_migration_of_the_plan_makes_nobody_waits_for() {
        let mut made = BTreeSet::new();
        assert!(read_locks("CREATE TABLE a (b int)", &mut made).is_empty());
        assert!(read_locks("ALTER TABLE a ADD c int", &mut made).is_empty());
    }
}
