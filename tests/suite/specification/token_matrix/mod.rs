//! Every operation of the served description, against every credential that must not open it. The list of operations
//! is the server's own, so a new one cannot be forgotten: what has no rule here fails the test.

pub mod operation;
mod rule;
mod sessions;
mod world;

use postrider::domain::clock::Clock;
use reqwest::Method;
use serde_json::json;

use crate::support::api::{mint, mint_with};
use crate::support::{Api, Tenant, until};

use rule::Rule;
use world::World;

/// What a tenant may look at besides its own application: the catalogue, and the background tasks that are its own.
const TENANT_READS: [&str; 4] = [
    "/api/v1/event-type",
    "/api/v1/event-type/{event_type_name}",
    "/api/v1/background-task",
    "/api/v1/portal/look",
];

/// What a tenant makes for itself, wherever it is asked for.
const TENANT_MAKES: [(&str, &str); 1] = [("post", "/api/v1/inbox")];

/// What an environment may look at among what is the operators': its own part of it.
const ENVIRONMENT_READS: [&str; 1] = ["/api/v1/admin/pause"];

/// Makes what is not there, in the caller's own environment.
const MAKES: [(&str, &str); 1] = [("put", "/api/v1/event-type/{event_type_name}")];

#[tokio::test]
async fn no_operation_opens_to_a_credential_that_does_not_hold() {
    let world = World::new().await;
    let app = &world.app;
    let now = Clock::default().now().timestamp();
    let revoked = world.victim.api.post("/api-key", &json!({"name": "revoked"})).await.expect(201);
    let path = format!("/api-key/{}", revoked["id"].as_str().unwrap());
    world.victim.api.delete(&path).await.expect(204);
    let access = format!("/auth/app-portal-access/{}", world.victim.id);
    let session = world.victim.api.post(&access, &json!({})).await.expect(200);
    let session = session["token"].as_str().unwrap().to_owned();
    app.api().with_token(&session).post("/auth/logout", &json!({})).await.expect(204);
    let credentials = [
        ("none", None),
        ("garbage", Some("garbage".to_owned())),
        ("expired", Some(mint(&json!({"sub": "org_victim", "exp": now - 3600})))),
        ("not begun", Some(mint(&json!({"sub": "org_victim", "nbf": now + 3600})))),
        ("another's signature", Some(mint_with(&json!({"sub": "operator"}), "another secret than ours"))),
        ("unsigned", Some("eyJhbGciOiJub25lIn0.eyJzdWIiOiJvcGVyYXRvciIsImlhdCI6MH0.".to_owned())),
        ("revoked key", Some(revoked["key"].as_str().unwrap().to_owned())),
        ("unknown key", Some(format!("pr_{}", "A".repeat(43)))),
        ("logged out", Some(session)),
    ];
    let nobody = app.api();
    let before = world.everything().await;
    for operation in world.operations() {
        for (kind, credential) in &credentials {
            let api = credential.as_ref().map_or_else(|| nobody.clone(), |text| nobody.with_token(text));
            let answer = operation.call(&api).await;
            let what = format!("{} with {kind}: {} {}", operation.name(), answer.status, answer.text);
            if operation.rule == Rule::Public {
                assert!(answer.status < 300, "{what}");
            } else {
                assert_eq!(answer.status, 401, "{what}");
                assert_eq!(answer.json()["code"], "authentication_failed", "{what}");
            }
        }
    }
    assert_eq!(world.everything().await, before);
    let root = format!("http://{}", app.address());
    for public in ["/openapi.json", "/docs/", "/docs/api/"] {
        let answer = crate::support::api::client().get(format!("{root}{public}")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{public}");
    }
}

#[tokio::test]
async fn no_operation_opens_anothers_application_to_a_tenant() {
    let world = World::new().await;
    let sibling = Tenant::create(&world.victim.api, "sibling").await;
    let stranger = Tenant::create(&world.app.api().claiming(&json!({"sub": "org_stranger"})), "other").await;
    let key = json!({"name": "x", "role": "application", "appId": sibling.id});
    let key = world.victim.api.post("/api-key", &key).await.expect(201);
    // Its use is written down at its first request.
    let by_key = world.app.api().with_token(key["key"].as_str().unwrap());
    by_key.get("/auth/whoami").await.expect(200);
    until("the use of the key is written down", || async {
        let used = "SELECT count(*) FROM api_key WHERE last_used_at IS NOT NULL";
        (world.app.database().count(used).await == 1).then_some(())
    })
    .await;
    let tenants = [
        world.app.api().claiming(&json!({"sub": sibling.id, "org": "org_victim"})),
        world.app.api().claiming(&json!({"sub": stranger.id, "org": "org_stranger"})),
        by_key,
        // It names an environment that its application is not in.
        world.app.api().claiming(&json!({"sub": world.victim.id, "org": "org_stranger"})),
    ];
    let before = world.everything().await;
    for operation in world.operations() {
        let makes_its_own = TENANT_MAKES.contains(&(operation.method.as_str(), operation.template.as_str()));
        if matches!(operation.rule, Rule::Public | Rule::Own) || makes_its_own {
            continue;
        }
        for tenant in &tenants {
            let answer = operation.call(tenant).await;
            let what = format!("{}: {} {}", operation.name(), answer.status, answer.text);
            let may_read = operation.is_read() && TENANT_READS.contains(&operation.template.as_str());
            match operation.rule {
                Rule::Tenant => assert!([403, 404].contains(&answer.status), "{what}"),
                _ if may_read => assert!([200, 404].contains(&answer.status), "{what}"),
                _ if operation.has_ids() => assert!([403, 404].contains(&answer.status), "{what}"),
                _ => assert_eq!(answer.status, 403, "{what}"),
            }
            assert_eq!(world.leaks(&answer), None, "{what}");
        }
    }
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn no_operation_opens_another_environment() {
    let world = World::new().await;
    let attacker = world.app.api().claiming(&json!({"sub": "org_attacker"}));
    let before = world.everything().await;
    for operation in world.operations() {
        if matches!(operation.rule, Rule::Public | Rule::Own) {
            continue;
        }
        let is_its_own = !operation.has_ids() && operation.rule == Rule::Environment;
        if is_its_own && !operation.is_read() {
            continue;
        }
        let answer = operation.call(&attacker).await;
        let what = format!("{}: {} {}", operation.name(), answer.status, answer.text);
        let reads_its_part = operation.is_read() && ENVIRONMENT_READS.contains(&operation.template.as_str());
        if is_its_own || reads_its_part {
            assert_eq!(answer.status, 200, "{what}");
        } else if MAKES.contains(&(operation.method.as_str(), operation.template.as_str())) {
            assert_eq!(answer.status, 201, "{what}");
            // What follows would meet its own.
            attacker.delete("/event-type/victim.type?expunge=true").await.expect(204);
        } else if operation.rule == Rule::Operator && !operation.has_ids() {
            assert_eq!(answer.status, 403, "{what}");
        } else {
            assert!([403, 404].contains(&answer.status), "{what}");
        }
        assert_eq!(world.leaks(&answer), None, "{what}");
    }
    // A header that operators choose with is nothing to others.
    let request = attacker.request(Method::GET, "/app").header("postrider-environment", "org_victim");
    assert_eq!(Api::send(request).await.expect(200)["data"], json!([]));
    // What names the victim in a filter finds nothing.
    for path in ["/dead-letter/replay", "/dead-letter/discard"] {
        let body = json!({"appId": world.victim.id, "endpointId": world.ids["endpoint_id"], "dryRun": true});
        let answer = attacker.post(path, &body).await;
        assert!(answer.status == 404 || answer.json()["count"] == 0, "{}", answer.text);
    }
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn a_tenant_who_may_only_look_changes_nothing() {
    let world = World::new().await;
    let access = format!("/auth/app-portal-access/{}", world.victim.id);
    let session = world.victim.api.post(&access, &json!({"readOnly": true})).await.expect(200);
    let reader = world.app.api().with_token(session["token"].as_str().unwrap());
    let before = world.everything().await;
    let mut looked = 0;
    for operation in world.operations() {
        if matches!(operation.rule, Rule::Public | Rule::Own) {
            continue;
        }
        let answer = operation.call(&reader).await;
        let what = format!("{}: {} {}", operation.name(), answer.status, answer.text);
        if !operation.is_read() || operation.template.ends_with("/secret") {
            assert_eq!(answer.status, 403, "{what}");
        } else if operation.rule == Rule::Tenant && answer.status == 200 {
            looked += 1;
        }
    }
    assert!(looked > 5, "it may look at what is its own");
    assert_eq!(world.everything().await, before);
}
