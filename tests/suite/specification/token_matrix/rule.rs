//! Who may use an operation, by its path.

use std::collections::BTreeMap;

use super::operation::fill;

/// Open to everybody.
const PUBLIC: [&str; 3] = ["/api/v1/health", "/api/v1/health/ping", "/api/v1/session/options"];

/// Where one gets a session; the credential is not in the head. `console::sign_in` try these.
pub const SIGN_IN: [(&str, &str); 2] = [("post", "/api/v1/session"), ("get", "/api/v1/session/oidc/start")];

/// About the caller and nobody else.
const OWN: [&str; 3] = ["/api/v1/auth/whoami", "/api/v1/auth/logout", "/api/v1/session"];

/// What is the operators' besides `/admin/`.
const OF_OPERATORS: [&str; 1] = ["person"];

/// What an environment has besides its applications.
const OF_ENVIRONMENT: [&str; 20] = [
    "app",
    "event-type",
    "dead-letter",
    "background-task",
    "api-key",
    "audit-log",
    "stats",
    "operational-webhook",
    "alert-rule",
    "alert-channel",
    "environment",
    "erasure",
    "usage",
    "overview",
    "incident",
    "portal",
    "inbox",
    "live",
    "search",
    "message-search",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    Public,
    Own,
    Operator,
    Environment,
    Tenant,
}

pub fn rule(path: &str) -> Option<Rule> {
    if PUBLIC.contains(&path) {
        return Some(Rule::Public);
    }
    if OWN.contains(&path) {
        return Some(Rule::Own);
    }
    let rest = path.strip_prefix("/api/v1/")?;
    if rest.starts_with("admin/") {
        return Some(Rule::Operator);
    }
    if path.contains("{app_id}") {
        return Some(Rule::Tenant);
    }
    let first = rest.split('/').next()?;
    if OF_OPERATORS.contains(&first) {
        return Some(Rule::Operator);
    }
    OF_ENVIRONMENT.contains(&first).then_some(Rule::Environment)
}

#[test]
fn an_operation_without_a_rule_is_noticed() {
    assert_eq!(rule("/api/v1/something-new"), None);
    assert_eq!(rule("/api/v2/app"), None);
    assert_eq!(rule("/api/v1/app/{app_id}/something-new"), Some(Rule::Tenant));
    assert_eq!(rule("/api/v1/admin/something-new"), Some(Rule::Operator));
    let nameless = std::panic::catch_unwind(|| fill("/api/v1/app/{thing_id}", &BTreeMap::new()));
    assert!(nameless.is_err());
}
