//! The name of a statement, as metrics and traces have it: that which its text begins with.

/// What a statement without a name is called.
pub(super) const OTHER: &str = "other";

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
