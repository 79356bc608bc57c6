//! A signature that differs, explained.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::program::finished;
use crate::support::server::command;
use crate::support::{LocalApp, Tenant};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
const ID: &str = "msg_test_01h455vb4pex5vsknk084sn02q";
const TIMESTAMP: i64 = 1_700_000_000;
const BODY: &str = r#"{ "invoice": "in_1" }"#;

/// As the public library signs.
fn signed(secret: &str, body: &str) -> String {
    standardwebhooks::Webhook::new(secret).unwrap().sign(ID, TIMESTAMP, body.as_bytes()).unwrap()
}

async fn endpoint(tenant: &Tenant, secret: &str) -> String {
    let body = json!({"url": "https://example.com/hook", "secret": secret, "disabled": true});
    let made = tenant.api.post(&tenant.path("/endpoint"), &body).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}

async fn explained(api: &Api, tenant: &Tenant, endpoint: &str, signature: &str) -> Value {
    let path = tenant.path(&format!("/endpoint/{endpoint}/signature/explain"));
    let body = json!({"signature": signature, "messageId": ID, "timestamp": TIMESTAMP, "payload": BODY});
    api.post(&path, &body).await.expect(200)
}

#[tokio::test]
async fn what_was_done_otherwise_is_said() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let own = endpoint(&tenant, SECRET).await;
    let right = signed(SECRET, BODY);
    let bytes = STANDARD.decode(right.strip_prefix("v1,").unwrap()).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    for (signature, verdict, hint) in [
        (right.as_str(), "matches", json!("whsec_MfKQ")),
        (&signed(SECRET, r#"{"invoice":"in_1"}"#), "reserialized_body", json!("whsec_MfKQ")),
        (&hex, "hex_not_base64", json!("whsec_MfKQ")),
        (&signed(other, BODY), "unknown", Value::Null),
        ("nonsense", "unknown", Value::Null),
    ] {
        let answer = explained(&tenant.api, &tenant, &own, signature).await;
        assert_eq!((&answer["verdict"], &answer["secretHint"]), (&json!(verdict), &hint), "{signature}");
        assert!(!answer.to_string().contains(&right[10..20]), "no signature is told");
    }
    // It is another endpoint's, which is not tried.
    endpoint(&tenant, other).await;
    assert_eq!(explained(&tenant.api, &tenant, &own, &signed(other, BODY)).await["verdict"], "unknown");
}

#[tokio::test]
async fn a_secret_that_was_rotated_out_is_known_until_it_is_gone() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let own = endpoint(&tenant, SECRET).await;
    let rotate = tenant.path(&format!("/endpoint/{own}/secret/rotate"));
    tenant.api.post(&rotate, &json!({"gracePeriodSeconds": 3600})).await.expect(200);
    let answer = explained(&tenant.api, &tenant, &own, &signed(SECRET, BODY)).await;
    assert_eq!(
        (&answer["verdict"], &answer["secretHint"]),
        (&json!("previous_secret"), &json!("whsec_MfKQ"))
    );
    sqlx::query(
        "UPDATE endpoint_secret SET expires_at = now() - interval '1 s' WHERE expires_at IS NOT NULL",
    )
    .execute(&app.database().pool)
    .await
    .unwrap();
    let answer = explained(&tenant.api, &tenant, &own, &signed(SECRET, BODY)).await;
    assert_eq!(answer["verdict"], "expired_secret");
}

#[tokio::test]
async fn who_may_not_see_secrets_sees_no_hint() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let own = endpoint(&tenant, SECRET).await;
    let access = format!("/auth/app-portal-access/{}", tenant.id);
    let narrow = json!({"capabilities": ["ViewBase", "CreateAttempts"]});
    let link = tenant.api.post(&access, &narrow).await.expect(200);
    let narrow = app.api().with_token(link["token"].as_str().unwrap());
    let answer = explained(&narrow, &tenant, &own, &signed(SECRET, BODY)).await;
    assert_eq!((&answer["verdict"], &answer["secretHint"]), (&json!("matches"), &Value::Null));
}

#[tokio::test]
async fn guesses_are_limited() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let own = endpoint(&tenant, SECRET).await;
    for _ in 0..30 {
        explained(&tenant.api, &tenant, &own, "nonsense").await;
    }
    let path = tenant.path(&format!("/endpoint/{own}/signature/explain"));
    let body = json!({"signature": "x", "messageId": ID, "timestamp": TIMESTAMP, "payload": BODY});
    tenant.api.post(&path, &body).await.expect_error(429, "too_many_requests");
}

#[tokio::test]
async fn the_shell_explains() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let own = endpoint(&tenant, SECRET).await;
    let home = tempfile::tempdir().unwrap();
    let body = home.path().join("body");
    std::fs::write(&body, BODY).unwrap();
    let explain = |signature: &str| {
        let mut command = command();
        command.args(["signature", "explain", &tenant.id, &own]).arg(&body);
        command.args(["--id", ID, "--timestamp", &TIMESTAMP.to_string(), "--signature", signature]);
        command.args(["--token", tenant.api.token(), "--url", &format!("http://{}", app.address())]);
        command
    };
    let said = finished(explain(&signed(SECRET, BODY))).await;
    assert_eq!(said, "It is right.\nThe secret begins with whsec_MfKQ.\n");
    let mut wrong = explain(&signed(SECRET, r#"{"invoice":"in_1"}"#));
    let output = tokio::task::spawn_blocking(move || wrong.output().unwrap()).await.unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("parsed and printed again"));
}
