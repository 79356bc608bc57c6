//! Dead letters are found, by those whose they are.

use serde_json::json;

use super::{Failing, brief, ended, id_of, messages, path_of};
use crate::support::{Receiver, Reply};

#[tokio::test]
async fn tenant_sees_only_its_own() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let one = Failing::new(&app, &receiver, "one").await;
    let other = Failing::new(&app, &receiver, "other").await;
    let (ids, _) = (one.die(&app, 2).await, other.die(&app, 1).await);
    let foreign = other.only().await;
    let api = app.api().claiming(&json!({"sub": one.tenant.id, "org": "org_test"}));

    api.get("/dead-letter").await.expect_error(403, "forbidden");
    api.post("/dead-letter/replay", &json!({})).await.expect_error(403, "forbidden");
    assert_eq!(messages(&api.all(&one.tenant.path("/dead-letter"), 1).await), ids);
    api.get(&other.tenant.path("/dead-letter")).await.expect_error(404, "not_found");
    let elsewhere = one.tenant.path(&format!("/dead-letter?app_id={}", other.tenant.id));
    api.get(&elsewhere).await.expect_error(404, "not_found");
    for rest in ["", "/replay", "/discard"] {
        let path = one.tenant.path(&path_of(&foreign, rest));
        let answer = if rest.is_empty() { api.get(&path).await } else { api.post(&path, &json!({})).await };
        answer.expect_error(404, "not_found");
    }

    let asked = app.environment().post("/dead-letter/discard", &json!({"endpointId": "ep_x"})).await;
    assert!(asked.expect_invalid().contains_key("body.endpointId"));
    let theirs = json!({"endpointId": other.endpoint});
    let task = api.post(&one.tenant.path("/dead-letter/discard"), &theirs).await.expect(202);
    assert_eq!(ended(&api, &task).await["progress"]["total"], 0);
    let task = api.post(&one.tenant.path("/dead-letter/discard"), &json!({})).await.expect(202);
    assert_eq!(ended(&api, &task).await["progress"]["done"], 2);
    assert_eq!(other.tenant.dead_letters().await.len(), 1);
    let task = app.environment().post("/dead-letter/discard", &json!({})).await.expect(202);
    ended(&app.environment(), &task).await;
    api.get(&format!("/background-task/{}", id_of(&task))).await.expect_error(404, "not_found");
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    let gone = receiver.hook_that("/gone", |_| Reply::Status(410));
    let leaving = failing.tenant.endpoint(&gone, json!({"filterTypes": ["b"]})).await;
    failing.tenant.message("a", json!({})).await;
    failing.tenant.message("b", json!({})).await;
    app.settled().await;
    let api = app.environment();
    for (filter, expected) in [
        ("state=open", 3),
        ("state=replayed", 0),
        ("reason=gone", 1),
        ("reason=exhausted", 2),
        ("status_code=410", 1),
        ("status_code=404", 0),
        ("event_type=b", 2),
        ("event_type=b&reason=exhausted", 1),
        (&format!("endpoint_id={leaving}"), 1),
        (&format!("app_id={}", failing.tenant.id), 3),
        ("since=2000-01-01T00:00:00Z", 3),
        ("until=2000-01-01T00:00:00Z", 0),
    ] {
        assert_eq!(api.all(&format!("/dead-letter?{filter}"), 2).await.len(), expected, "{filter}");
    }
    for filter in ["reason=bored", "state=lost", "since=yesterday", "status_code=x", "limit=0"] {
        api.get(&format!("/dead-letter?{filter}")).await.expect_invalid();
    }
}
