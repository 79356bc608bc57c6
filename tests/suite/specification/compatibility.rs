//! What existing clients rely on: older spellings, forms of queries, and clear answers for what is not served.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, LocalApp, Receiver};

#[tokio::test]
async fn both_spellings_of_a_field_are_understood_and_answered() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let api = app.environment();
    let hook = receiver.hook("/one");
    for (types, limit) in [("filterTypes", "rateLimit"), ("eventTypes", "throttleRate")] {
        let made =
            api.post(&tenant.path("/endpoint"), &json!({"url": hook.url, types: ["a.b"], limit: 7})).await;
        let made = made.expect(201);
        for field in ["filterTypes", "eventTypes"] {
            assert_eq!(made[field], json!(["a.b"]), "{types}: {field}");
        }
        for field in ["rateLimit", "throttleRate"] {
            assert_eq!(made[field], 7, "{limit}: {field}");
        }
        assert_eq!(made["version"], 1);
    }
    let app_made = api.post("/app", &json!({"name": "x", "throttleRate": 9})).await.expect(201);
    assert_eq!((&app_made["rateLimit"], &app_made["throttleRate"]), (&json!(9), &json!(9)));
    let sent =
        api.post(&tenant.path("/msg"), &json!({"eventType": "a.c", "data": {"n": 1}})).await.expect(202);
    assert_eq!(sent["payload"], json!({"n": 1}));
    let both = json!({"eventType": "a.c", "data": {}, "payload": {}});
    api.post(&tenant.path("/msg"), &both).await.expect_invalid();
}

#[tokio::test]
async fn lists_of_names_in_a_query_come_in_every_form() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let endpoint = tenant.endpoint(&receiver.hook("/one"), json!({})).await;
    let first = tenant.message("a", json!({})).await;
    for event_type in ["b", "c"] {
        tenant.message(event_type, json!({})).await;
    }
    app.settled().await;
    let lists = [
        tenant.path("/msg"),
        tenant.path(&format!("/endpoint/{endpoint}/msg")),
        tenant.path(&format!("/attempt/endpoint/{endpoint}")),
    ];
    for list in &lists {
        for form in [
            "event_types=a,b",
            "event_types=a%2Cb",
            "event_types=a&event_types=b",
            "event_types[]=a&event_types[]=b",
            "event_types[0]=a&event_types%5B1%5D=b",
        ] {
            assert_eq!(app.environment().all(&format!("{list}?{form}"), 1).await.len(), 2, "{list}?{form}");
        }
        assert_eq!(app.environment().all(&format!("{list}?event_types="), 5).await.len(), 3, "{list}");
        // As client libraries send it: a null iterator, and times with zones.
        let as_sent =
            format!("{list}?iterator=&with_content=false&after=2020-01-01T00:00:00%2B00:00&limit=2");
        let page = app.environment().get(&as_sent).await.expect(200);
        assert_eq!(page["data"].as_array().unwrap().len(), 2, "{list}");
        let next =
            format!("{as_sent}&iterator={}", page["iterator"].as_str().unwrap()).replace("?iterator=&", "?");
        let page = app.environment().get(&next).await.expect(200);
        assert_eq!((page["data"].as_array().unwrap().len(), &page["done"]), (1, &json!(true)), "{list}");
    }
    let by_message = tenant.path(&format!("/attempt/msg/{first}?event_types=b,c"));
    assert!(app.environment().all(&by_message, 5).await.is_empty());
}

#[tokio::test]
async fn put_creates_or_replaces_and_deletion_frees_the_uid() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let api = app.environment();
    let body = json!({"name": "one", "uid": "mine"});
    let made = api.put("/app/mine", &body).await.expect(201);
    assert_eq!(api.put("/app/mine", &body).await.expect(200)["id"], made["id"]);
    assert_eq!(api.post("/app?get_if_exists=true", &body).await.expect(200)["id"], made["id"]);
    api.post("/app", &body).await.expect(409);
    let url = receiver.hook("/one").url;
    let endpoint = api.put("/app/mine/endpoint/ep-1", &json!({"url": url})).await.expect(201);
    assert_eq!(endpoint["uid"], "ep-1");
    // Nulls are as good as nothing.
    let nulls = json!({"url": url, "uid": "ep-1", "secret": null, "headers": null, "channels": null, "metadata": null});
    assert_eq!(api.put("/app/mine/endpoint/ep-1", &nulls).await.expect(200)["id"], endpoint["id"]);
    api.delete("/app/mine/endpoint/ep-1").await.expect(204);
    let again = api.put("/app/mine/endpoint/ep-1", &json!({"url": url})).await.expect(201);
    assert_ne!(again["id"], endpoint["id"]);
    api.delete("/app/mine").await.expect(204);
    assert_ne!(api.put("/app/mine", &body).await.expect(201)["id"], made["id"]);
    let made = api.put("/event-type/a.b", &json!({"description": ""})).await.expect(201);
    assert_eq!(made["name"], "a.b");
    api.put("/event-type/a.b", &json!({"description": "B."})).await.expect(200);
}

#[tokio::test]
async fn what_is_not_served_says_so() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let api = app.environment();
    for (method, path) in [
        (Method::GET, "/connector".to_owned()),
        (Method::PUT, "/connector/c1".to_owned()),
        (Method::POST, tenant.path("/integration")),
        (Method::GET, tenant.path("/integration/i1/key")),
        (Method::PATCH, tenant.path("/endpoint/e1/transformation")),
        (Method::GET, tenant.path("/poller/p1/consumer/c1/")),
        (Method::POST, "/stream/s1/events".to_owned()),
        (Method::POST, "/environment/export".to_owned()),
        (Method::GET, tenant.path("/events")),
        (Method::POST, tenant.path("/endpoint/e1/transformation/simulate")),
    ] {
        let answer = Api::send(api.request(method, &path)).await;
        answer.expect_error(404, "not_implemented");
        let keyed = api.request(Method::POST, &path).header("idempotency-key", "once").json(&json!({}));
        Api::send(keyed).await.expect_error(404, "not_implemented");
        Api::send(app.api().request(Method::GET, &path)).await.expect_error(401, "authentication_failed");
    }
    let ingest = api.request(Method::GET, "/../../ingest/api/v1/source");
    let answer = Api::send(ingest).await;
    answer.expect_error(404, "not_implemented");
    api.get("/never/heard/of").await.expect_error(404, "not_found");
    let unknown: Value = api.delete("/app").await.expect_error(405, "method_not_allowed");
    assert!(unknown["detail"].is_string());
}
