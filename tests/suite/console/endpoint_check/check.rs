//! An endpoint that is checked live.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use super::customer::{Care, Customer};
use crate::support::program::finished;
use crate::support::server::command;
use crate::support::{LocalApp, Setup, Tenant};

/// An endpoint at that URL, with the secret that the customer's code has.
async fn endpoint_at(tenant: &Tenant, url: &str, settings: Value) -> String {
    let mut body = json!({"url": url, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="});
    body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let made = tenant.api.post(&tenant.path("/endpoint"), &body).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}

async fn checked(tenant: &Tenant, endpoint: &str) -> Value {
    tenant.api.post(&tenant.path(&format!("/endpoint/{endpoint}/check")), &json!({})).await.expect(200)
}

/// What came of each of the four.
fn passed(answer: &Value) -> Vec<Value> {
    let checks = answer["checks"].as_array().unwrap();
    let kinds: Vec<&str> = checks.iter().map(|check| check["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["reached", "genuine", "forged", "old"]);
    checks.iter().map(|check| check["passed"].clone()).collect()
}

#[tokio::test]
async fn a_receiver_that_checks_everything_passes_and_nothing_is_kept_of_it() {
    let app = LocalApp::start().await;
    let (tenant, customer) = (app.tenant("one").await, Customer::start(Care::Careful).await);
    let headers = json!({"headers": {"authorization": "Bearer hush", "x-tenant": "acme"}, "disabled": true});
    let endpoint = endpoint_at(&tenant, &customer.url, headers).await;
    let answer = checked(&tenant, &endpoint).await;
    assert_eq!(passed(&answer), [true, true, true, true], "{answer:#}");
    let [reached, genuine, forged, old] = [0, 1, 2, 3].map(|place| &answer["checks"][place]);
    assert_eq!((&reached["address"], &reached["tlsVersion"]), (&json!("127.0.0.1"), &Value::Null));
    assert_eq!((&genuine["statusCode"], &forged["statusCode"]), (&json!(204), &json!(401)));
    assert_eq!(forged["exchange"]["responseBody"], "I do not know you");
    let header = |check: &Value, name: &str| {
        let headers = check["exchange"]["request"]["headers"].as_array().unwrap().clone();
        headers.into_iter().find(|header| header["name"] == name).unwrap()["value"].clone()
    };
    assert_eq!((header(genuine, "authorization"), header(genuine, "x-tenant")), (Value::Null, json!("acme")));
    let seconds =
        |check: &Value| header(check, "webhook-timestamp").as_str().unwrap().parse::<i64>().unwrap();
    assert_eq!(seconds(genuine) - seconds(old), 600);
    assert_ne!(header(genuine, "webhook-signature"), header(forged, "webhook-signature"));

    // What is shown is what came.
    let received = customer.received();
    assert_eq!(received.len(), 3);
    for ((headers, body), check) in received.iter().zip([genuine, forged, old]) {
        assert!(headers["webhook-id"].to_str().unwrap().starts_with("msg_test_"));
        assert_eq!(headers["webhook-signature"], header(check, "webhook-signature").as_str().unwrap());
        assert_eq!(headers["authorization"], "Bearer hush");
        assert_eq!(body, check["exchange"]["request"]["body"].as_str().unwrap());
    }
    for table in ["message", "delivery", "attempt", "pending", "dead_letter"] {
        let query = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let rows: i64 = sqlx::query_scalar(query).fetch_one(&app.database().pool).await.unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    let noted = tenant.api.get("/audit-log?action=endpoint.checked").await.expect(200);
    assert_eq!(noted["data"][0]["objectId"], endpoint.as_str(), "{noted}");
}

#[tokio::test]
async fn a_receiver_that_forgets_something_is_found_out() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    for (care, expected) in [
        (Care::ForgetsTime, [true, true, true, false]),
        (Care::Careless, [true, true, false, false]),
        (Care::Overwhelmed, [true, false, false, false]),
    ] {
        let customer = Customer::start(care).await;
        let endpoint = endpoint_at(&tenant, &customer.url, json!({})).await;
        let answer = checked(&tenant, &endpoint).await;
        assert_eq!(passed(&answer), expected, "{care:?}: {answer:#}");
    }
}

#[tokio::test]
async fn all_keys_that_sign_are_forged() {
    let app = LocalApp::start().await;
    let (tenant, customer) = (app.tenant("one").await, Customer::start(Care::Careful).await);
    let endpoint = endpoint_at(&tenant, &customer.url, json!({})).await;
    let rotate = tenant.path(&format!("/endpoint/{endpoint}/secret/rotate"));
    let ed25519 = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=";
    tenant.api.post(&rotate, &json!({"key": ed25519, "gracePeriodSeconds": 3600})).await.expect(200);
    let answer = checked(&tenant, &endpoint).await;
    assert_eq!(passed(&answer), [true, true, true, true], "the former key signs along: {answer:#}");
    for (headers, _) in customer.received() {
        let entries: Vec<&str> = headers["webhook-signature"].to_str().unwrap().split(' ').collect();
        assert!(entries[0].starts_with("v1a,") && entries[1].starts_with("v1,"), "{entries:?}");
    }
}

#[tokio::test]
async fn what_is_not_reached_is_tried_once() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let endpoint = endpoint_at(&tenant, &format!("http://{closed}/"), json!({})).await;
    let answer = checked(&tenant, &endpoint).await;
    assert_eq!(passed(&answer), [json!(false), Value::Null, Value::Null, Value::Null]);
    let reached = &answer["checks"][0];
    assert_eq!((&reached["failure"], &reached["statusCode"]), (&json!("connection"), &Value::Null));
    assert_eq!(reached["detail"], "the connection was refused");
}

#[tokio::test]
async fn the_way_is_that_of_deliveries() {
    let app = Setup::default().without("ALLOW_SUBNETS").start_local().await;
    let (tenant, customer) = (app.tenant("one").await, Customer::start(Care::Careless).await);
    let within = customer.url.replace("127.0.0.1", "localhost");
    let endpoint = endpoint_at(&tenant, &within, json!({})).await;
    let answer = checked(&tenant, &endpoint).await;
    assert_eq!(answer["checks"][0]["failure"], "egress_refused", "{answer:#}");
    assert_eq!(answer["checks"][0]["address"], Value::Null);
    assert!(customer.received().is_empty());
}

#[tokio::test]
async fn the_end_of_a_certificate_is_told() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");
    let authority = format!("{fixtures}/self_signed_authority.pem");
    let app = Setup::default().with("TLS_CA_FILE", &authority).start_local().await;
    let tenant = app.tenant("one").await;
    let read = |name: &str| std::fs::read(format!("{fixtures}/{name}")).unwrap();
    let (certificate, key) = (read("self_signed_authority.der"), read("self_signed_authority.key.der"));
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], key.try_into().unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            // The head and the small body come in one piece.
            let _ = stream.read(&mut [0; 8192]).await;
            let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    let endpoint = endpoint_at(&tenant, &format!("https://localhost:{port}/"), json!({})).await;
    let answer = checked(&tenant, &endpoint).await;
    serving.abort();
    let reached = &answer["checks"][0];
    assert_eq!((&reached["passed"], &reached["tlsVersion"]), (&json!(true), &json!("TLS 1.3")), "{answer:#}");
    let ends: chrono::DateTime<chrono::Utc> =
        reached["certificateExpiresAt"].as_str().unwrap().parse().unwrap();
    assert!(ends > chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap());
}

#[tokio::test]
async fn an_example_of_the_catalogue_can_be_sent() {
    let app = LocalApp::start().await;
    let (tenant, customer) = (app.tenant("one").await, Customer::start(Care::Careful).await);
    let endpoint = endpoint_at(&tenant, &customer.url, json!({})).await;
    let schema = json!({"type": "object", "examples": [{"invoice": "in_1"}]});
    let kind = json!({"name": "invoice.paid", "description": "x", "schemas": {"1": schema}});
    tenant.api.post("/event-type", &kind).await.expect(201);
    let path = tenant.path(&format!("/endpoint/{endpoint}/check"));
    let answer = tenant.api.post(&path, &json!({"eventType": "invoice.paid"})).await.expect(200);
    assert_eq!(answer["checks"][1]["exchange"]["request"]["body"], r#"{"invoice":"in_1"}"#);
    let none = tenant.api.post(&path, &json!({"eventType": "no.such.type"})).await;
    assert!(none.expect_invalid().contains_key("body.eventType"));
}

#[tokio::test]
async fn an_endpoint_is_not_checked_more_often_than_it_may() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let endpoint = endpoint_at(&tenant, &format!("http://{closed}/"), json!({})).await;
    for _ in 0..10 {
        checked(&tenant, &endpoint).await;
    }
    let path = tenant.path(&format!("/endpoint/{endpoint}/check"));
    let refused = tenant.api.post(&path, &json!({})).await;
    refused.expect_error(429, "too_many_requests");
    let wait: u32 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=61).contains(&wait));
    let other = endpoint_at(&tenant, &format!("http://{closed}/other"), json!({})).await;
    checked(&tenant, &other).await;
}

#[tokio::test]
async fn the_shell_says_what_came_of_each() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let check = async |endpoint: &str| {
        let mut command = command();
        command.args(["endpoint", "check", &tenant.id, endpoint, "--token", tenant.api.token()]);
        command.args(["--url", &format!("http://{}", app.address())]);
        command
    };
    let careful = Customer::start(Care::Careful).await;
    let endpoint = endpoint_at(&tenant, &careful.url, json!({"uid": "good"})).await;
    let said = finished(check("good").await).await;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 4, "{said}");
    assert!(lines.iter().all(|line| line.starts_with("ok ")), "{said}");
    let careless = Customer::start(Care::Careless).await;
    tenant.patch_endpoint(&endpoint, json!({"url": careless.url})).await;
    let mut command = check("good").await;
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && wrong.contains("2 of 4 checks passed"), "{wrong}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("expected 4xx"));
}
