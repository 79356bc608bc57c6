//! Statements: what Postgres shows of them says which they are.

use crate::sources::{assert_none, sources};

/// sqlx's macros, and those of the store that put a table's columns into one.
const STATEMENT_MACROS: [&str; 12] = [
    "query!(",
    "query_as!(",
    "query_scalar!(",
    "query_unchecked!(",
    "query_as_unchecked!(",
    "look_at!(",
    "select_attempts!(",
    "filter_dead_letters!(",
    "select_dead_letters!(",
    "select_keys!(",
    "select_tasks!(",
    "select_troubled!(",
];

/// `pg_stat_statements` then reads like the code.
#[test]
fn every_statement_names_itself() {
    let mut offences = Vec::new();
    let mut seen = 0;
    for source in sources().into_iter().filter(|source| source.is_in(&["store"])) {
        for call in STATEMENT_MACROS {
            for (at, _) in source.text.match_indices(call) {
                seen += 1;
                let rest = &source.text[at..];
                let (before, statement) = rest.split_once('"').unwrap_or_default();
                // In a macro of the store's own: each of its callers gives the name.
                if before.contains("$name") {
                    continue;
                }
                let statement = statement.trim_start();
                let name = statement.strip_prefix("-- ").and_then(|rest| rest.split_whitespace().next());
                if !name.is_some_and(|name| name.contains("::")) {
                    let line = source.text[..at].lines().count();
                    offences.push(format!("{}:{line}", source.path));
                }
            }
        }
    }
    assert!(seen > 20, "the statements were not found");
    assert_none("a statement begins with `-- aggregate::name`", &offences);
}

/// Several installations may share a database: a channel's name ends in what tells them apart, and so does a lock's key;
/// a table is found in the session's schema.
#[test]
fn nothing_that_reaches_beyond_its_schema_is_without_its_name() {
    const ENDING: &str = " || current_setting('postrider.cell')";
    let mut offences = Vec::new();
    let mut seen = 0;
    for source in sources().into_iter().filter(|source| source.is_in(&["store"])) {
        for (number, line) in source.code() {
            let offence = format!("{}:{number}: {line}", source.path);
            if let Some((_, rest)) = line.split_once("pg_notify('") {
                seen += 1;
                if !rest.split_once('\'').is_some_and(|(_, rest)| rest.starts_with(ENDING)) {
                    offences.push(offence.clone());
                }
            }
            let is_lock = line.contains("_advisory_lock(hash") || line.contains("_advisory_xact_lock(hash");
            if is_lock && !line.contains("current_schema()") && !line.contains("migrate ") {
                offences.push(offence.clone());
            }
            if line.contains("public.") {
                offences.push(offence);
            }
        }
    }
    assert!(seen > 10, "the notices were not found");
    assert_none("a notice and a lock name their schema, and a table does not", &offences);
}
