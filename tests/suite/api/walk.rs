//! The API, resource by resource, as a producer and a tenant walk through it.

use postrider::domain::clock::Clock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::{mint, mint_with};
use crate::support::{Api, LocalApp, Receiver};

fn ids(objects: &[Value]) -> Vec<String> {
    objects.iter().map(|object| object["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn applications() {
    let app = LocalApp::start().await;
    let api = app.environment();
    let made = api
        .post("/app", &json!({"name": "One", "uid": "one", "rateLimit": 5, "metadata": {"a": "b"}}))
        .await
        .expect(201);
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("app_") && id.len() == 30, "{id}");
    assert_eq!(made["uid"], "one");
    assert_eq!((&made["rateLimit"], &made["throttleRate"]), (&json!(5), &json!(5)));
    assert_eq!(made["metadata"], json!({"a": "b"}));
    assert!(made["createdAt"].as_str().unwrap().ends_with('Z'));
    assert_eq!(api.get(&format!("/app/{id}")).await.expect(200), made);
    assert_eq!(api.get("/app/one").await.expect(200), made);
    assert_eq!(api.get("/app/one/").await.expect(200), made, "a trailing slash is optional");

    api.post("/app", &json!({"name": "Again", "uid": "one"})).await.expect_error(409, "conflict");
    let there =
        api.post("/app?get_if_exists=true", &json!({"name": "Again", "uid": "one"})).await.expect(200);
    assert_eq!(there, made);

    let patched = api.patch("/app/one", &json!({"rateLimit": null, "name": "Uno"})).await.expect(200);
    assert_eq!(
        (&patched["name"], &patched["rateLimit"], &patched["uid"]),
        (&json!("Uno"), &Value::Null, &json!("one"))
    );
    let put = api.put("/app/one", &json!({"name": "Eins"})).await.expect(200);
    assert_eq!((&put["id"], &put["metadata"]), (&made["id"], &json!({})), "what is not named is cleared");
    let created = api.put("/app/two", &json!({"name": "Two"})).await.expect(201);
    assert_eq!(created["uid"], "two");

    assert_eq!(api.delete("/app/two").await.expect(204), Value::Null);
    api.get("/app/two").await.expect_error(404, "not_found");
    api.delete("/app/two").await.expect_error(404, "not_found");
    api.post("/app", &json!({"name": "Two again", "uid": "two"})).await.expect(201);
}

#[tokio::test]
async fn what_does_not_validate_is_named() {
    let app = LocalApp::start().await;
    let api = app.environment();
    for (body, place) in [
        (json!({}), "body.name"),
        (json!({"name": ""}), "body.name"),
        (json!({"name": 7}), "body.name"),
        (json!({"name": "a", "uid": "a b"}), "body.uid"),
        (json!({"name": "a", "uid": "app_mine"}), "body.uid"),
        (json!({"name": "a", "uid": "u".repeat(257)}), "body.uid"),
        (json!({"name": "a", "rateLimit": 0}), "body.rateLimit"),
        (json!({"name": "a", "metadata": {"a": 1}}), "body.metadata.a"),
        (json!({"name": "a", "metadata": {"a": "x".repeat(5000)}}), "body.metadata"),
    ] {
        let found = api.post("/app", &body).await.expect_invalid();
        assert!(found.contains_key(place), "{body}: {found:?}");
    }
    let tenant = app.tenant("one").await;
    let endpoints = tenant.path("/endpoint");
    for (body, place) in [
        (json!({}), "body.url"),
        (json!({"url": "nonsense"}), "body.url"),
        (json!({"url": "ftp://example.com/"}), "body.url"),
        (json!({"url": "http://example.com/", "secret": "whsec_c2hvcnQ="}), "body.secret"),
        (json!({"url": "http://example.com/", "channels": ["a b"]}), "body.channels"),
        (json!({"url": "http://example.com/", "headers": {"webhook-id": "x"}}), "body.headers"),
        (json!({"url": "http://example.com/", "headers": {"host": "x"}}), "body.headers"),
    ] {
        let found = tenant.api.post(&endpoints, &body).await.expect_invalid();
        assert!(found.keys().any(|found| found.starts_with(place)), "{body}: {found:?}");
    }
    for query in ["limit=0", "limit=251", "limit=many", "iterator=nonsense", "order=sideways"] {
        let answer = api.get(&format!("/app?{query}")).await;
        assert!([400, 422].contains(&answer.status), "{query}: {answer:?}");
        answer.json();
    }
    api.post_bytes("/app", "nonsense").await.expect_invalid();
}

#[tokio::test]
async fn lists_are_paged_and_stable_under_inserts() {
    let app = LocalApp::start().await;
    let api = app.environment();
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(api.post("/app", &json!({"name": format!("{number}")})).await.expect(201));
    }
    let made = ids(&made);
    assert_eq!(ids(&api.all("/app", 3).await), made, "applications are oldest first");
    let mut backwards = ids(&api.all("/app?order=descending", 2).await);
    backwards.reverse();
    assert_eq!(backwards, made);

    let first = api.get("/app?limit=3").await.expect(200);
    assert_eq!((first["data"].as_array().unwrap().len(), &first["done"]), (3, &json!(false)));
    api.delete(&format!("/app/{}", made[1])).await.expect(204);
    api.post("/app", &json!({"name": "late"})).await.expect(201);
    let iterator = first["iterator"].as_str().unwrap();
    let second = api.get(&format!("/app?limit=3&iterator={iterator}")).await.expect(200);
    assert_eq!(ids(second["data"].as_array().unwrap()), made[3..6]);
    let back = second["prevIterator"].as_str().unwrap();
    let before = api.get(&format!("/app?limit=3&iterator={back}")).await.expect(200);
    assert_eq!(ids(before["data"].as_array().unwrap()), [made[0].clone(), made[2].clone()]);

    let tenant = app.tenant("endpoints").await;
    let mut endpoints = Vec::new();
    for number in 0..5 {
        let body = json!({"url": format!("http://127.0.0.1:9/{number}")});
        endpoints.push(tenant.api.post(&tenant.path("/endpoint"), &body).await.expect(201));
    }
    let mut listed = ids(&tenant.api.all(&tenant.path("/endpoint"), 2).await);
    listed.reverse();
    assert_eq!(listed, ids(&endpoints), "endpoints are newest first");
}

#[tokio::test]
async fn endpoints_with_their_secret_and_headers() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let (api, endpoints) = (&tenant.api, tenant.path("/endpoint"));
    let made = api
        .post(
            &endpoints,
            &json!({"url": "http://127.0.0.1:9/hook", "uid": "mine", "filterTypes": [], "description": "d"}),
        )
        .await
        .expect(201);
    assert!(made["id"].as_str().unwrap().starts_with("ep_"));
    assert_eq!(
        (&made["version"], &made["disabled"], &made["filterTypes"]),
        (&json!(1), &json!(false), &Value::Null)
    );
    assert!(made.get("secret").is_none(), "the secret is shown where it is asked for only");
    let path = format!("{endpoints}/mine");
    assert_eq!(api.get(&path).await.expect(200), made);

    let secret = api.get(&format!("{path}/secret")).await.expect(200)["key"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    let rotate = format!("{path}/secret/rotate");
    let rotated = api.post(&rotate, &json!({})).await.expect(200);
    assert_ne!(rotated["key"], secret.as_str());
    for key in 0..9 {
        let made = api.post(&rotate, &json!({})).await;
        assert!([200, 409, 422].contains(&made.status), "rotation {key}: {made:?}");
    }

    let headers = format!("{path}/headers");
    assert_eq!(api.get(&headers).await.expect(200)["headers"], json!({}));
    let set = json!({"headers": {"x-tenant": "one", "authorization": "Bearer hush"}});
    api.put(&headers, &set).await.expect(204);
    let shown = api.get(&headers).await.expect(200);
    assert_eq!(shown["headers"]["x-tenant"], "one");
    assert!(!shown.to_string().contains("hush"), "{shown}");
    assert_eq!(shown["sensitive"], json!(["authorization"]));
    api.patch(&headers, &json!({"headers": {"x-more": "two"}})).await.expect(204);
    assert_eq!(api.get(&headers).await.expect(200)["headers"]["x-more"], "two");

    let patched = api.patch(&path, &json!({"description": "e", "filterTypes": ["a.b"]})).await.expect(200);
    assert_eq!((&patched["description"], &patched["filterTypes"]), (&json!("e"), &json!(["a.b"])));
    api.delete(&path).await.expect(204);
    api.get(&path).await.expect_error(404, "not_found");
    api.get(&format!("{path}/secret")).await.expect_error(404, "not_found");
}

#[tokio::test]
async fn event_types() {
    let app = LocalApp::start().await;
    let api = app.environment();
    let schemas = json!({"1": {"type": "object"}});
    let body = json!({"name": "invoice.paid", "description": "Paid.", "schemas": schemas});
    let made = api.post("/event-type", &body).await.expect(201);
    assert_eq!((&made["name"], &made["archived"]), (&json!("invoice.paid"), &json!(false)));
    api.post("/event-type", &json!({"name": "invoice.paid", "description": "x"}))
        .await
        .expect_error(409, "conflict");
    assert_eq!(api.get("/event-type/invoice.paid").await.expect(200)["schemas"], schemas);
    api.put("/event-type/invoice.lost", &json!({"description": "Lost."})).await.expect(201);
    let names =
        |list: &[Value]| list.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&api.all("/event-type", 1).await), ["invoice.lost", "invoice.paid"]);
    api.delete("/event-type/invoice.lost").await.expect(204);
    assert_eq!(names(&api.all("/event-type", 9).await), ["invoice.paid"]);
    assert_eq!(names(&api.all("/event-type?include_archived=true", 9).await).len(), 2);
    api.delete("/event-type/invoice.paid?expunge=true").await.expect(204);
    api.get("/event-type/invoice.paid").await.expect_error(404, "not_found");
}

#[tokio::test]
async fn messages_and_their_attempts() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let (api, path) = (&tenant.api, tenant.path("/msg"));
    let body = json!({"eventType": "a.b", "eventId": "mine-1", "channels": ["red"], "tags": ["t"], "payload": {"n": 1}});
    let made = api.post(&path, &body).await.expect(202);
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("msg_"));
    assert_eq!(
        (&made["eventType"], &made["eventId"], &made["payload"]),
        (&json!("a.b"), &json!("mine-1"), &json!({"n": 1}))
    );
    assert_eq!((&made["channels"], &made["tags"]), (&json!(["red"]), &json!(["t"])));
    assert!(made["timestamp"].is_string());
    api.post(&path, &body).await.expect_error(409, "event_id_taken");
    assert_eq!(api.get(&format!("{path}/{id}")).await.expect(200), made);
    assert_eq!(api.get(&format!("{path}/mine-1")).await.expect(200), made);
    let bare = api.get(&format!("{path}/{id}?with_content=false")).await.expect(200);
    assert_eq!(bare["payload"], json!({}));
    tenant.message("c.d", json!({})).await;
    for (filter, number) in
        [("", 2), ("?event_types=a.b", 1), ("?channel=red", 1), ("?channel=blue", 0), ("?tag=t", 1)]
    {
        assert_eq!(api.all(&format!("{path}{filter}"), 50).await.len(), number, "{filter}");
    }
    app.settled().await;

    let attempts = api.all(&tenant.path(&format!("/attempt/msg/{id}")), 50).await;
    assert_eq!(attempts.len(), 1);
    let attempt = attempts[0]["id"].as_str().unwrap();
    let got = api.get(&tenant.path(&format!("/msg/{id}/attempt/{attempt}"))).await.expect(200);
    assert_eq!(got["id"], attempt);
    for field in [
        "url",
        "response",
        "responseStatusCode",
        "responseDurationMs",
        "status",
        "statusText",
        "triggerType",
        "timestamp",
        "msgId",
        "endpointId",
    ] {
        assert!(!got[field].is_null(), "{field}: {got}");
    }
    let by_endpoint = tenant.path(&format!("/attempt/endpoint/{endpoint}"));
    for (filter, number) in [
        ("status=0", 2),
        ("status=2", 0),
        ("status_code_class=200", 2),
        ("status_code_class=500", 0),
        ("event_types=a.b", 1),
    ] {
        assert_eq!(api.all(&format!("{by_endpoint}?{filter}"), 50).await.len(), number, "{filter}");
    }

    let resend = tenant.path(&format!("/msg/{id}/endpoint/{endpoint}/resend"));
    api.post(&resend, &json!({})).await.expect(202);
    let requests = receiver.wait_at(&hook, 3).await;
    assert_eq!(requests[2].id, id);
    app.settled().await;
    let attempts = api.all(&tenant.path(&format!("/attempt/msg/{id}")), 50).await;
    assert_eq!((attempts.len(), &attempts[0]["triggerType"]), (2, &json!(1)));
}

#[tokio::test]
async fn an_idempotency_key_gives_the_first_answer_again() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    let (api, path) = (&tenant.api, tenant.path("/msg"));
    let body = json!({"eventType": "a", "payload": {"n": 1}});
    let first = api.post_once(&path, "key", &body).await;
    first.expect(202);
    let again = api.post_once(&path, "key", &body).await;
    again.expect(202);
    assert_eq!(first.text, again.text);
    let other = json!({"eventType": "a", "payload": {"n": 2}});
    assert_eq!(api.post_once(&path, "key", &other).await.status, 409);
    let made = api.post_once("/app", "key", &json!({"name": "two"})).await.expect(201);
    assert_eq!(api.post_once("/app", "key", &json!({"name": "two"})).await.expect(201), made);
    assert_eq!(api.post_once("/app", "key", &json!({"name": "three"})).await.status, 409);
    // Another caller's key is another key.
    let stranger = app.api().claiming(&json!({"sub": "org_stranger"}));
    let theirs = stranger.post_once("/app", "key", &json!({"name": "two"})).await.expect(201);
    assert_ne!(theirs["id"], made["id"]);

    // Twins at once make one message.
    let twins: Vec<_> = (0..16)
        .map(|_| {
            let (api, path, body) = (api.clone(), path.clone(), other.clone());
            tokio::spawn(async move { api.post_once(&path, "twins", &body).await.expect(202)["id"].clone() })
        })
        .collect();
    let mut seen = Vec::new();
    for twin in twins {
        seen.push(twin.await.unwrap());
    }
    assert!(seen.iter().all(|id| *id == seen[0]), "{seen:?}");
    app.settled().await;
    assert_eq!(receiver.received_at(&hook).len(), 2);
}

#[tokio::test]
async fn who_may_not_is_told_so_or_sees_nothing() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let other = app.tenant("other").await;
    let now = Clock::default().now().timestamp();
    let nobody = app.api();
    assert_eq!(nobody.get("/app").await.headers["www-authenticate"], "Bearer");
    for token in [
        "nonsense".to_owned(),
        mint_with(&json!({"sub": "org_test"}), "another secret than the server's"),
        mint(&json!({"sub": "org_test", "exp": now - 3600})),
        mint(&json!({"sub": "org_test", "nbf": now + 3600})),
        mint(&json!({"sub": "nobody"})),
        mint(&json!({"sub": tenant.id})),
    ] {
        nobody.with_token(&token).get("/app").await.expect_error(401, "authentication_failed");
    }
    nobody.get("/app").await.expect_error(401, "authentication_failed");

    let own = nobody.claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    assert_eq!(own.get(&tenant.path("")).await.expect(200)["id"], tenant.id.as_str());
    assert_eq!(own.get(&tenant.path("/endpoint")).await.expect(200)["data"], json!([]));
    own.post(&tenant.path("/endpoint"), &json!({"url": "http://127.0.0.1:9/"})).await.expect(201);
    own.get("/app").await.expect_error(403, "forbidden");
    own.post("/app", &json!({"name": "x"})).await.expect_error(403, "forbidden");
    let message = json!({"eventType": "a", "payload": {}});
    own.post(&tenant.path("/msg"), &message).await.expect_error(403, "forbidden");
    own.get(&other.path("/endpoint")).await.expect_error(404, "not_found");
    own.get(&other.path("")).await.expect_error(404, "not_found");

    let stranger = nobody.claiming(&json!({"sub": "org_stranger"}));
    let hidden = stranger.get(&tenant.path("")).await;
    let missing = stranger.get("/app/app_01h455vb4pex5vsknk084sn02q").await;
    hidden.expect_error(404, "not_found");
    assert_eq!(hidden.text, missing.text, "another's is not told from none");
    stranger.post(&tenant.path("/msg"), &message).await.expect_error(404, "not_found");
    assert_eq!(stranger.get("/app").await.expect(200)["data"], json!([]));

    let operator = nobody.claiming(&json!({"sub": "operator", "org": "org_test"}));
    assert_eq!(operator.get("/app").await.expect(200)["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn unknown_paths_and_methods_answer_json() {
    let app = LocalApp::start().await;
    let api = app.environment();
    api.get("/nowhere").await.expect_error(404, "not_found");
    let send = |method, path| Api::send(api.request(method, path));
    send(Method::DELETE, "/app").await.expect_error(405, "method_not_allowed");
    app.api().get("/health/ping").await.expect(204);
    assert_eq!(app.api().get("/health").await.expect(200)["status"], "ok");
    let specification = app.api().get("/openapi.json").await.expect(200);
    assert!(specification["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(specification["paths"]["/api/v1/app/{app_id}/msg"]["post"].is_object());
    let docs =
        crate::support::api::client().get(format!("http://{}/docs", app.address())).send().await.unwrap();
    assert_eq!(docs.status().as_u16(), 200);
}
