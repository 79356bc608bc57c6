//! Schemathesis asks every operation of the description, in every role, with what the description allows and with what
//! it does not, and holds the answers against it: no 5xx, no status, body or header that is not told, nothing accepted
//! that should not be, nothing shown without credentials.
//!
//! The run here is short and the same each time. `make fuzz` lets it go on for long, from another seed each time.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::program::finished;
use crate::support::python::python;
use crate::support::{Api, Setup, TestApp};

/// What is left out, and why.
///
/// - `positive_data_acceptance`: some rules cannot be told in a schema (an iterator belongs to its list, `until` is later
///   than `since`, a `uid` does not begin like an id of ours, a header's name is not one of those that are set by us), so
///   that what fits the schema may still be refused, with a 422 that says why.
const EXCLUDED_CHECKS: &str = "positive_data_acceptance";

/// Health needs no credentials, and answers 503 when the database is away. A stream does not end.
const EXCLUDED_PATHS: &str = "^/api/v1/health|/live$";

struct Effort {
    examples: String,
    seed: String,
}

fn effort() -> Effort {
    #[expect(clippy::disallowed_methods, reason = "it is the suite's own variable, not the program's")]
    let given = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    Effort { examples: given("POSTRIDER_FUZZ_EXAMPLES", "2"), seed: given("POSTRIDER_FUZZ_SEED", "20260131") }
}

async fn start() -> TestApp {
    let mut app = Setup::default().with("LOG", "warn").without("ALLOW_SUBNETS").start().await;
    app.leave_work();
    app
}

async fn fuzz(app: &TestApp, api: &Api, headers: &[&str], settings: &str) {
    let effort = effort();
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("schemathesis.toml");
    std::fs::write(&config, settings).unwrap();
    let mut command = Command::new(python().with_file_name("schemathesis"));
    command.current_dir(home.path()).arg("--config-file").arg(&config);
    command.args(["run", &format!("http://{}/api/v1/openapi.json", app.address())]);
    command.args(["--header", &format!("Authorization: Bearer {}", api.token())]);
    for header in headers {
        command.args(["--header", header]);
    }
    command.args(["--checks", "all", "--exclude-checks", EXCLUDED_CHECKS]);
    command.args(["--exclude-path-regex", EXCLUDED_PATHS]);
    command.args(["--seed", &effort.seed, "--max-examples", &effort.examples, "--no-shrink"]);
    command.args(["--continue-on-failure", "--warnings", "off", "--suppress-health-check", "all"]);
    eprintln!("{}", finished(command).await);
    let panics = app.log().lines().filter(|line| line.contains("panicked")).count();
    assert_eq!(panics, 0, "{}", app.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_finds_what_the_description_says() {
    let app = start().await;
    fuzz(&app, &app.environment(), &[], "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_finds_what_the_description_says() {
    let app = start().await;
    let operator = app.operator();
    fuzz(&app, &operator, &["postrider-environment: org_test"], "").await;
}

/// A tenant meets its own application, with something in it, wherever one is named.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_finds_what_the_description_says() {
    let app = start().await;
    let tenant = app.tenant("fuzzed").await;
    let endpoint: Value = json!({"url": "https://example.com/hook", "uid": "main", "disabled": true});
    tenant.api.post(&tenant.path("/endpoint"), &endpoint).await.expect(201);
    tenant.message_of(json!({"eventType": "made", "eventId": "first", "payload": {}})).await;
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    fuzz(&app, &own, &[], &format!("[parameters]\n\"path.app_id\" = \"{}\"\n", tenant.id)).await;
}
