//! The alert rules that every environment begins with, as the schema makes them.

use serde_json::{Value, json};

use super::environment::AlertRule;
use super::kind::Kind;

/// The rules that every environment begins with, in the order of their names. A file that says nothing of rules means these.
pub(super) fn first_rules() -> Vec<AlertRule> {
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
    let fields =
        rules.iter().filter_map(Value::as_object).filter_map(|it| Kind::AlertRule.set_fields(it).ok());
    fields.map(|fields| AlertRule { id: None, fields }).collect()
}

/// Whether nothing was changed about the rules that were there from the start.
pub(super) fn are_first(rules: &[AlertRule]) -> bool {
    rules.iter().map(|rule| &rule.fields).eq(first_rules().iter().map(|rule| &rule.fields))
}
