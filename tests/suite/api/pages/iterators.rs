//! Iterators: they lead forward and back, in both orders.

use serde_json::{Value, json};

use crate::support::LocalApp;

fn ids(objects: &[Value]) -> Vec<String> {
    objects.iter().map(|object| object["id"].as_str().unwrap().to_owned()).collect()
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
