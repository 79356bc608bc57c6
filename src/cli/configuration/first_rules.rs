//! The alert rules that every environment begins with, as the schema makes them (`create_first_alert_rules`). They stand in
//! both places because a file is read without a database; `tests/suite/program/configuration` holds them together.

use anyhow::Context;
use serde_json::{Value, json};

use super::environment::AlertRule;
use super::kind::Kind;

/// The rules that every environment begins with, in the order of their names. A file that says nothing of rules means these.
pub(super) fn first_rules() -> anyhow::Result<Vec<AlertRule>> {
    let rules = [
        json!({
            "name": "Dead letters",
            "condition": {"kind": "dead_letters", "count": 1, "minutes": 5},
            "severity": "critical",
        }),
        json!({
            "name": "Many attempts fail",
            "condition": {"kind": "failure_share", "percent": 10, "minutes": 10, "attempts": 20},
            "severity": "warning",
        }),
    ];
    let rule = |rule: &Value| {
        let fields = rule.as_object().context("a rule is an object")?;
        let fields = Kind::AlertRule.set_fields(fields).map_err(anyhow::Error::msg)?;
        Ok(AlertRule { id: None, fields })
    };
    rules.iter().map(rule).collect()
}

/// Whether nothing was changed about the rules that were there from the start.
pub(super) fn are_first(rules: &[AlertRule]) -> anyhow::Result<bool> {
    Ok(rules.iter().map(|rule| &rule.fields).eq(first_rules()?.iter().map(|rule| &rule.fields)))
}
