//! `postrider endpoint check`: has a running server try an endpoint out: is it reached, does it accept a genuine request,
//! does it refuse a forged and an old one.

use anyhow::ensure;
use clap::Args;
use serde_json::{Value, json};

use crate::cli::client::Server;
use crate::cli::print;

#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    /// The application, by id or uid
    #[arg(value_name = "APP")]
    app: String,
    /// The endpoint, by id or uid
    #[arg(value_name = "ENDPOINT")]
    endpoint: String,
    /// Send the example of this event type
    #[arg(long, value_name = "NAME")]
    event_type: Option<String>,
    #[command(flatten)]
    server: Server,
}

impl Check {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let path = ["app", &self.app, "endpoint", &self.endpoint, "check"];
        let answer = self.server.client()?.post(&path, &json!({"eventType": self.event_type})).await?;
        let checks = answer.get("checks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if self.server.json {
            print(&serde_json::to_string_pretty(&answer)?)?;
        } else {
            print(&checks.iter().map(line).collect::<Vec<_>>().join("\n"))?;
        }
        let passed = checks.iter().filter(|check| text(check, "passed") == "true").count();
        ensure!(passed == 4, "{passed} of 4 checks passed");
        Ok(())
    }
}

/// A value as text; empty for what is not there.
fn text(check: &Value, field: &str) -> String {
    match check.get(field) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// What came of one check, in a line.
fn line(check: &Value) -> String {
    let kind = text(check, "kind");
    let title = match kind.as_str() {
        "reached" => "is reached",
        "genuine" => "accepts a genuine request",
        "forged" => "refuses a forged request",
        _ => "refuses an old request",
    };
    let (mark, result) = match text(check, "passed").as_str() {
        "true" => ("ok  ", outcome(check)),
        "false" if kind == "reached" || kind == "genuine" => ("FAIL", outcome(check)),
        "false" => ("FAIL", format!("{}, expected 4xx", outcome(check))),
        _ => ("-   ", "not tried".to_owned()),
    };
    format!("{mark} {title:<26} {result}")
}

fn outcome(check: &Value) -> String {
    let facts = ["detail", "address", "tlsVersion"].map(|field| text(check, field));
    let status = Some(text(check, "statusCode")).filter(|status| !status.is_empty());
    let status = status.map(|status| format!("answered {status}"));
    let ends = Some(text(check, "certificateExpiresAt")).filter(|end| !end.is_empty());
    let ends = ends.map(|end| format!("certificate until {}", end.split('T').next().unwrap_or_default()));
    let parts = status.into_iter().chain(facts.into_iter().filter(|fact| !fact.is_empty())).chain(ends);
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_came_of_a_check() {
        let reached = json!({"kind": "reached", "passed": true, "statusCode": 200, "address": "203.0.113.7",
            "tlsVersion": "TLS 1.3", "certificateExpiresAt": "2027-01-31T00:00:00Z"});
        assert_eq!(
            line(&reached),
            "ok   is reached                 answered 200, 203.0.113.7, TLS 1.3, certificate until 2027-01-31"
        );
        let forged = json!({"kind": "forged", "passed": false, "statusCode": 200, "detail": null});
        assert_eq!(line(&forged), "FAIL refuses a forged request   answered 200, expected 4xx");
        let old = json!({"kind": "old", "passed": null});
        assert_eq!(line(&old), "-    refuses an old request     not tried");
    }
}
