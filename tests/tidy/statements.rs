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
