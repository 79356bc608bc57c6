//! What was looked at, how it is, and what to do.

use serde::Serialize;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Condition {
    /// As it should be.
    Ok,
    /// It works, and could go wrong or be better.
    Warning,
    /// It is wrong.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    subject: String,
    pub(super) condition: Condition,
    /// What was found.
    found: String,
    /// What to do; none when all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

impl Finding {
    pub(super) fn ok(subject: &str, found: impl Into<String>) -> Self {
        Self { subject: subject.to_owned(), condition: Condition::Ok, found: found.into(), advice: None }
    }

    pub(super) fn warning(subject: &str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { condition: Condition::Warning, advice: Some(advice.into()), ..Self::ok(subject, found) }
    }

    pub(super) fn problem(subject: &str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { condition: Condition::Problem, ..Self::warning(subject, found, advice) }
    }

    /// For people: a line, and one with what to do below it.
    pub(super) fn text(&self) -> String {
        let mark = match self.condition {
            Condition::Ok => "ok     ",
            Condition::Warning => "warning",
            Condition::Problem => "PROBLEM",
        };
        let advice = self.advice.as_ref().map(|advice| format!("\n         {advice}")).unwrap_or_default();
        format!("{mark}  {}: {}{advice}", self.subject, self.found)
    }
}
