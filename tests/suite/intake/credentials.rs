//! Credentials die with what they were for, and show no more than they allow.

use serde_json::{Value, json};

use crate::support::api::mint_with;
use crate::support::{Setup, TestApp, until};

#[tokio::test]
async fn credentials_of_a_deleted_application_open_nothing_on_any_node() {
    let app = TestApp::start().await;
    let another = app.another_node("another").await;
    let tenant = app.tenant("short-lived").await;
    let token = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    let made = json!({"name": "its own", "role": "application", "appId": tenant.id});
    let made = tenant.api.post("/api-key", &made).await.expect(201);
    let key = app.api().with_token(made["key"].as_str().or(made["token"].as_str()).unwrap());
    let paths = ["/event-type", "/background-task"];
    for credential in [&token, &key] {
        for path in paths {
            credential.get(path).await.expect(200);
            credential.through(&another.address()).get(path).await.expect(200);
        }
    }
    tenant.api.delete(&tenant.path("")).await.expect(204);
    for credential in [&token, &key] {
        for path in paths {
            credential.get(path).await.expect_error(401, "authentication_failed");
            let there = credential.through(&another.address());
            until("the other node knows", || async { (there.get(path).await.status == 401).then_some(()) })
                .await;
        }
    }
}

#[tokio::test]
async fn a_token_from_the_future_cannot_outlive_what_takes_it_back() {
    let app = TestApp::start().await;
    let tenant = app.tenant("forward").await;
    let now = chrono::DateTime::timestamp(&postrider::domain::clock::Clock::default().now());
    for ahead in [30, 3_600, 86_400] {
        let claims = json!({"sub": tenant.id, "org": "org_test", "iat": now + ahead});
        app.api().claiming(&claims).get("/event-type").await.expect_error(401, "authentication_failed");
    }
}

#[tokio::test]
async fn audience_and_issuer_are_required_where_they_are_set() {
    let setup = Setup::default().with("JWT_AUDIENCE", "hooks").with("JWT_ISSUER", "acme");
    let app = setup.start().await;
    let with = |more: Value| {
        let mut claims = json!({"sub": "org_test"});
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app.api().claiming(&claims)
    };
    let good = with(json!({"aud": "hooks", "iss": "acme"}));
    let made = good.post("/app", &json!({"name": "x"})).await.expect(201);
    for wrong in [json!({}), json!({"aud": "hooks"}), json!({"aud": "x", "iss": "acme"})] {
        with(wrong).get("/app").await.expect_error(401, "authentication_failed");
    }
    let path = format!("/auth/app-portal-access/{}", made["id"].as_str().unwrap());
    let link = good.post(&path, &json!({})).await.expect(200);
    app.api().with_token(link["token"].as_str().unwrap()).get("/event-type").await.expect(200);
    let other = mint_with(
        &json!({"sub": "org_test", "aud": "hooks", "iss": "acme"}),
        "another secret of some length",
    );
    app.api().with_token(&other).get("/app").await.expect_error(401, "authentication_failed");
}

#[tokio::test]
async fn a_token_that_may_only_look_sees_no_secrets() {
    let app = TestApp::start().await;
    let tenant = app.tenant("looked at").await;
    let endpoint = json!({
        "url": "https://hooks.example.com/services/T01/abcdefghijklmnopqrst?token=hunter2", "uid": "main",
        "disabled": true, "headers": {"x-auth": "hunter2", "x-tenant": "hunter2", "api_key": "hunter2"},
    });
    tenant.api.post(&tenant.path("/endpoint"), &endpoint).await.expect(201);
    let reads = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test", "cap": ["ViewBase"]}));
    let one = tenant.path("/endpoint/main");
    for path in [tenant.path("/endpoint"), one.clone(), format!("{one}/headers")] {
        let text = reads.get(&path).await.expect(200).to_string();
        assert!(!text.contains("hunter2") && !text.contains("abcdefghijklmnopqrst"), "{text}");
    }
    let headers = reads.get(&format!("{one}/headers")).await.expect(200);
    assert_eq!(headers["sensitive"], json!(["api_key", "x-auth", "x-tenant"]));
    let whole = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    assert_eq!(whole.get(&one).await.expect(200)["url"], endpoint["url"]);
    let headers = whole.get(&format!("{one}/headers")).await.expect(200);
    assert_eq!(headers["headers"], json!({"x-tenant": "hunter2"}));
}

/// A name that leads into the operator's network looks like one that leads nowhere.
#[tokio::test]
async fn a_tenant_does_not_learn_which_internal_names_exist() {
    let app = Setup::default().without("ALLOW_SUBNETS").with("RETRY_SCHEDULE", "none").start().await;
    let tenant = app.tenant("curious").await;
    let endpoint = json!({"url": "http://localhost:9/", "uid": "main"});
    tenant.api.post(&tenant.path("/endpoint"), &endpoint).await.expect(201);
    tenant.message("asked", json!({})).await;
    app.settled().await;
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    let path = tenant.path("/attempt/endpoint/main");
    let seen = tenant.api.get(&path).await.expect(200)["data"][0].clone();
    assert_eq!(seen["failure"], "egress_refused", "{seen}");
    let shown = own.get(&path).await.expect(200)["data"][0].clone();
    assert_eq!(
        (&shown["failure"], shown["response"].as_str()),
        (&json!("dns"), Some("the name could not be resolved"))
    );
    let letters = own.get(&tenant.path("/dead-letter")).await.expect(200);
    assert_eq!(letters["data"][0]["lastFailure"], "dns", "{letters}");
}
