//! Environments as files: exported, compared, imported.

mod fails;
mod round_trip;
mod svix;

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Api, LocalApp};

use super::shell::run;

const PASSPHRASE: &str = "correct horse battery staple";
const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
/// The seed and the public key of RFC 8032, section 7.1, test 1.
const WHSK: &str =
    "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg==";

/// A PNG of one pixel.
const LOGO: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A server, a directory for files, and the program on it.
struct Shell {
    app: LocalApp,
    place: TempDir,
}

impl Shell {
    async fn start() -> Self {
        Self { app: LocalApp::start().await, place: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// A caller in that environment.
    fn api(&self, environment: &str) -> Api {
        self.app.api().claiming(&json!({"sub": environment}))
    }

    fn url(&self) -> String {
        format!("http://{}", self.app.address())
    }

    /// Runs the program in that environment, with the passphrase.
    fn run(&self, environment: &str, arguments: &[&str]) -> Output {
        self.run_at(&self.url(), environment, arguments, PASSPHRASE)
    }

    fn run_at(&self, url: &str, environment: &str, arguments: &[&str], passphrase: &str) -> Output {
        let api = self.api(environment);
        let variables =
            [("POSTRIDER_URL", url), ("POSTRIDER_TOKEN", api.token()), ("POSTRIDER_PASSPHRASE", passphrase)];
        run(arguments, &variables)
    }
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// An environment with something of everything. Nothing is ever sent.
async fn furnish(api: &Api) {
    let look = json!({"name": "Acme", "embedOrigins": ["https://app.example.com"], "logo": LOGO});
    api.put("/portal/look", &look).await.expect(200);
    let policy = json!({"maxInFlight": 8, "retrySchedule": [60, 300.5], "openDeadLetterRetentionDays": 90});
    api.patch("/environment/policy", &policy).await.expect(200);
    let rules = api.get("/alert-rule").await.expect(200);
    let dead = rules["data"].as_array().unwrap().iter().find(|rule| rule["name"] == "Dead letters").unwrap();
    let later = json!({"name": "Dead letters", "condition": dead["condition"], "severity": "critical", "suppressSeconds": 60});
    api.put(&format!("/alert-rule/{}", dead["id"].as_str().unwrap()), &later).await.expect(200);
    let quiet = json!({"name": "Quiet", "condition": {"kind": "nothing_accepted", "minutes": 60}, "severity": "info", "enabled": false});
    api.post("/alert-rule", &quiet).await.expect(201);
    let chat = json!({"name": "Chat", "kind": "slack", "target": "https://chat.example.com/hunter2", "minSeverity": "warning"});
    api.post("/alert-channel", &chat).await.expect(201);
    api.post("/alert-channel", &json!({"name": "Own", "kind": "operational"})).await.expect(201);
    let schemas =
        json!({"1": {"type": "object", "properties": {"amount": {"type": "number", "minimum": 1.0}}}});
    let event_type =
        json!({"name": "invoice.paid", "description": "Paid", "schemas": schemas, "featureFlag": "beta"});
    api.post("/event-type", &event_type).await.expect(201);
    api.post("/event-type", &json!({"name": "invoice.old", "description": "", "archived": true}))
        .await
        .expect(201);
    let app = json!({"name": "Acme", "uid": "acme", "rateLimit": 50, "messageRetentionDays": 30, "metadata": {"plan": "1", "since": "2026-01-01"}});
    api.post("/app", &app).await.expect(201);
    let main = json!({
        "uid": "main", "url": "https://user:hunter2@hooks.example.com/in", "secret": WHSEC, "rateLimit": 5,
        "description": "The main one", "filterTypes": ["invoice.paid"], "channels": ["eu"], "retryOn": ["5xx"],
        "headers": {"X-Tenant": "acme", "Authorization": "Bearer hunter2"},
    });
    api.post("/app/acme/endpoint", &main).await.expect(201);
    let signed = json!({"uid": "ed", "url": "https://hooks.example.com/ed", "secret": WHSK, "version": 2});
    api.post("/app/acme/endpoint", &signed).await.expect(201);
    api.post("/admin/pause/app/acme/endpoint/ed", &json!({})).await.expect(200);
    api.post("/app/acme/endpoint", &json!({"url": "https://hooks.example.com/off", "disabled": true}))
        .await
        .expect(201);
    let without = api.post("/app", &json!({"name": "Without a uid"})).await.expect(201);
    api.post(&format!("/admin/pause/app/{}", without["id"].as_str().unwrap()), &json!({})).await.expect(200);
    let told = json!({"uid": "told", "url": "https://ops.example.com/", "filterTypes": ["message.attempt.exhausted"],
        "headers": {"x-api-key": "hunter2"}});
    api.post("/operational-webhook/endpoint", &told).await.expect(201);
}

/// All that is secret, without the ids.
async fn secrets(api: &Api) -> Vec<Value> {
    let mut found = api.all("/environment/endpoint-secret", 2).await;
    let targets = api.get("/environment/alert-channel-target").await.expect(200);
    found.extend(targets["data"].as_array().unwrap().clone());
    for one in &mut found {
        let fields = one.as_object_mut().unwrap();
        fields.retain(|name, _| !["appId", "endpointId", "alertChannelId"].contains(&name.as_str()));
    }
    found.sort_by_key(ToString::to_string);
    found
}

/// Ids are those of one server.
fn without_ids(text: &str) -> String {
    let line =
        |line: &str| line.split_once("- id: ").map_or(line.to_owned(), |(before, _)| format!("{before}- id"));
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
