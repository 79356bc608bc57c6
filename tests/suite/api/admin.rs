//! What operators see, across environments.

use serde_json::{Value, json};

use crate::support::{LocalApp, Receiver, Reply, Setup, Tenant, TestApp, until};

async fn tenant_in(app: &LocalApp, environment: &str, name: &str) -> Tenant {
    Tenant::create(&app.api().claiming(&json!({"sub": environment})), name).await
}

#[tokio::test]
async fn environments_are_listed_and_made() {
    let app = LocalApp::start().await;
    let operator = app.operator();
    operator.post("/admin/environment", &json!({"id": "org_b"})).await.expect(201);
    let there = operator.post("/admin/environment", &json!({"id": "org_b"})).await.expect(200);
    assert_eq!(operator.get("/admin/environment/org_b").await.expect(200), there);
    tenant_in(&app, "org_a", "one").await;
    tenant_in(&app, "org_c", "one").await;
    let ids = |found: Vec<Value>| found.iter().map(|it| it["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(operator.all("/admin/environment", 2).await), ["org_a", "org_b", "org_c"]);
    assert_eq!(
        ids(operator.all("/admin/environment?order=descending", 2).await),
        ["org_c", "org_b", "org_a"]
    );
    operator.get("/admin/environment/org_none").await.expect_error(404, "not_found");
    let found = operator.post("/admin/environment", &json!({"id": "b"})).await.expect_invalid();
    assert!(found.contains_key("body.id"), "{found:?}");
    app.environment().get("/admin/environment").await.expect_error(403, "forbidden");
}

/// A mistyped environment does not begin to exist because an operator looks at it; its own token makes it.
#[tokio::test]
async fn an_operator_who_looks_makes_no_environment() {
    let app = LocalApp::start().await;
    let operator = app.operator();
    let mistyping = app.api().claiming(&json!({"sub": "operator", "org": "org_mistyped"}));
    for path in ["/app", "/overview", "/event-type", "/dead-letter"] {
        mistyping.get(path).await.expect(200);
    }
    operator.get("/admin/environment/org_mistyped").await.expect_error(404, "not_found");
    app.api().claiming(&json!({"sub": "org_own"})).get("/app").await.expect(200);
    operator.get("/admin/environment/org_own").await.expect(200);
}

#[tokio::test]
async fn nodes_are_listed_with_their_heartbeats() {
    let app = TestApp::start().await;
    let _second = app.another_node("second").await;
    let nodes = app.operator().get("/admin/node").await.expect(200);
    let nodes = nodes["data"].as_array().unwrap();
    assert_eq!(nodes.len(), 2);
    let second = nodes.iter().find(|node| node["name"] == "second").unwrap();
    assert_eq!(second["version"], env!("CARGO_PKG_VERSION"));
    assert!(second["beatAgeSeconds"].as_f64().unwrap() >= 0.0, "{second}");
    app.environment().get("/admin/node").await.expect_error(403, "forbidden");
}

#[tokio::test]
async fn the_queue_is_counted_by_endpoint_and_by_tenant() {
    let mut app = Setup::default().with("RETRY_SCHEDULE", "1h,2h").start_local().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let hook = receiver.hook_that("/failing", |_| Reply::Status(500));
    let (one, two) = (tenant_in(&app, "org_a", "one").await, tenant_in(&app, "org_b", "two").await);
    let first = one.endpoint(&hook, json!({})).await;
    let held = two.endpoint(&hook, json!({"disabled": true})).await;
    let other = two.endpoint(&hook, json!({"disabled": true})).await;
    two.endpoint(&hook, json!({"filterTypes": ["nothing.comes"]})).await;
    for _ in 0..3 {
        one.message("a", json!({})).await;
    }
    two.message("a", json!({})).await;
    two.message("a", json!({})).await;
    let operator = app.operator();
    let listed = until("all wait", || async {
        let listed = operator.all("/admin/queue/endpoint", 2).await;
        let waiting: i64 = listed.iter().map(|it| it["waiting"].as_i64().unwrap()).sum();
        (waiting == 7).then_some(listed)
    })
    .await;
    let seen: Vec<_> = listed
        .iter()
        .map(|it| {
            (it["endpointId"].as_str().unwrap(), it["waiting"].as_i64().unwrap(), it["disabled"] == true)
        })
        .collect();
    assert_eq!(seen, [(first.as_str(), 3, false), (held.as_str(), 2, true), (other.as_str(), 2, true)]);
    assert_eq!((&listed[0]["appId"], &listed[0]["environmentId"]), (&json!(one.id), &json!("org_a")));
    assert_eq!((&listed[0]["appName"], &listed[0]["url"]), (&json!("one"), &json!(hook.url)));
    assert_eq!((&listed[0]["paused"], &listed[1]["paused"]), (&json!(false), &json!(false)));
    assert_eq!((&listed[0]["due"], &listed[0]["isCapped"]), (&json!(0), &json!(false)));
    assert_eq!(listed[0]["oldestAgeSeconds"], 0.0, "it is due in an hour");

    let tenants = operator.get("/admin/queue/app").await.expect(200);
    let seen: Vec<_> = tenants["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (&it["appId"], &it["waiting"], &it["endpoints"]))
        .collect();
    assert_eq!(
        (&tenants["data"][0]["appName"], &tenants["data"][1]["appName"]),
        (&json!("two"), &json!("one"))
    );
    assert_eq!(seen, [(&json!(two.id), &json!(4), &json!(2)), (&json!(one.id), &json!(3), &json!(1))]);
    assert_eq!((&tenants["endpointsCounted"], &tenants["isCapped"]), (&json!(3), &json!(false)));
    app.environment().get("/admin/queue/app").await.expect_error(403, "forbidden");
    app.environment().get("/admin/queue/endpoint").await.expect_error(403, "forbidden");

    // A backlog: what is more than a thousand is not counted, and says so.
    sqlx::query(
        "INSERT INTO pending (message_id, endpoint_id, application_id, due_at, attempts)
         SELECT gen_random_uuid(), endpoint_id, application_id, now() + interval '1 day', 1
         FROM pending, generate_series(1, 400) WHERE application_id = (SELECT id FROM application WHERE name = 'one')",
    )
    .execute(&app.database().pool)
    .await
    .unwrap();
    let listed = operator.all("/admin/queue/endpoint", 50).await;
    assert_eq!((&listed[0]["waiting"], &listed[0]["isCapped"]), (&json!(1000), &json!(true)));
    assert_eq!((&listed[1]["waiting"], &listed[1]["isCapped"]), (&json!(2), &json!(false)));
    let tenants = operator.get("/admin/queue/app").await.expect(200);
    assert_eq!(
        (&tenants["data"][0]["waiting"], &tenants["data"][0]["isCapped"]),
        (&json!(1000), &json!(true))
    );
}

#[tokio::test]
async fn dead_letters_are_listed_across_environments() {
    let app = Setup::default().with("RETRY_SCHEDULE", "none").start_local().await;
    let receiver = Receiver::start().await;
    let hook = receiver.hook_that("/failing", |_| Reply::Status(503));
    let (one, two) = (tenant_in(&app, "org_a", "one").await, tenant_in(&app, "org_b", "two").await);
    for tenant in [&one, &two] {
        tenant.endpoint(&hook, json!({})).await;
        tenant.message("a", json!({})).await;
    }
    app.settled().await;
    let operator = app.operator();
    let all = operator.all("/admin/dead-letter", 1).await;
    let of = |found: &[Value]| found.iter().map(|it| it["environmentId"].clone()).collect::<Vec<_>>();
    let mut seen = of(&all);
    seen.sort_by_key(ToString::to_string);
    assert_eq!(seen, ["org_a", "org_b"]);
    assert_eq!(of(&operator.all("/admin/dead-letter?environment_id=org_b", 10).await), ["org_b"]);
    assert_eq!(of(&operator.all(&format!("/admin/dead-letter?app_id={}", one.id), 10).await), ["org_a"]);
    assert_eq!(operator.all("/admin/dead-letter?status_code=500", 10).await.len(), 0);
    assert_eq!(operator.all("/admin/dead-letter?status_code=503&state=open", 10).await.len(), 2);
    let found = operator.get("/admin/dead-letter?app_id=one").await.expect_invalid();
    assert!(found.contains_key("query.app_id"), "{found:?}");
    one.api.get("/admin/dead-letter").await.expect_error(403, "forbidden");
}

#[tokio::test]
async fn the_audit_log_is_read_by_operators_whole_and_by_an_environment_its_own() {
    let app = LocalApp::start().await;
    let (one, two) = (tenant_in(&app, "org_a", "one").await, tenant_in(&app, "org_b", "two").await);
    one.api.patch(&one.path(""), &json!({"name": "Uno"})).await.expect(200);
    let operator = app.operator();
    operator.post("/admin/api-key", &json!({"name": "root", "role": "operator"})).await.expect(201);
    let actions = |found: &[Value]| found.iter().map(|it| it["action"].clone()).collect::<Vec<_>>();
    let all = operator.all("/admin/audit-log?order=ascending", 2).await;
    assert_eq!(all.len(), 6);
    assert_eq!(all.last().unwrap()["action"], "api_key.created");
    assert_eq!(all.last().unwrap()["environmentId"], Value::Null);
    assert_eq!(all.last().unwrap()["actor"]["role"], "operator");
    let own = one.api.all("/audit-log", 2).await;
    assert_eq!(actions(&own), ["application.updated", "application.created", "environment.created"]);
    assert!(own.iter().all(|entry| entry["environmentId"] == "org_a"));
    assert_eq!(own[0]["details"], json!({"fields": ["name"]}));
    assert_eq!((&own[0]["objectKind"], &own[0]["objectId"]), (&json!("application"), &json!(one.id)));

    let count = |query: String| {
        let operator = operator.clone();
        async move { operator.all(&format!("/admin/audit-log?{query}"), 50).await.len() }
    };
    assert_eq!(count("environment_id=org_b".to_owned()).await, 2);
    assert_eq!(count("action=application.created".to_owned()).await, 2);
    assert_eq!(count(format!("app_id={}", two.id)).await, 1);
    assert_eq!(count(format!("object_id={}", one.id)).await, 2);
    assert_eq!(count("actor_id=org_a".to_owned()).await, 3);
    operator.get("/admin/audit-log?environment_id=org_a&app_id=none").await.expect_error(404, "not_found");
    operator.get("/admin/audit-log?app_id=none").await.expect_invalid();
    assert_eq!(count("until=2020-01-01T00:00:00Z".to_owned()).await, 0);
    assert_eq!(count("since=2020-01-01T00:00:00Z".to_owned()).await, 6);

    // Another's environment is not to be seen, whatever is asked for.
    let stranger = format!("/audit-log?app_id={}", two.id);
    assert_eq!(one.api.all(&stranger, 50).await.len(), 0);
    one.api.get("/admin/audit-log").await.expect_error(403, "forbidden");
    let tenant = app.api().claiming(&json!({"sub": one.id, "org": "org_a"}));
    tenant.get("/audit-log").await.expect_error(403, "forbidden");
}
