//! Event types: how much of each there is, and who gets it.

use serde_json::{Value, json};

use crate::support::{Receiver, Setup, until};

#[tokio::test]
async fn event_types_are_told_with_their_volume_and_those_who_get_them() {
    let mut app = Setup::default().start_local().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let (one, two) = (app.tenant("one").await, app.tenant("two").await);
    let named = one.endpoint(&receiver.hook("/named"), json!({"filterTypes": ["a", "never"]})).await;
    let disabled =
        one.endpoint(&receiver.hook("/off"), json!({"filterTypes": ["a"], "disabled": true})).await;
    let all = two.endpoint(&receiver.hook("/all"), json!({})).await;
    for (tenant, event_type) in [(&one, "a"), (&one, "a"), (&two, "a"), (&two, "b")] {
        tenant.message(event_type, json!({})).await;
    }
    app.settled().await;
    let api = app.environment();
    api.post("/event-type", &json!({"name": "b", "description": "x"})).await.expect(201);
    let shown = until("all messages are counted", || async {
        let shown = api.get("/stats/event-types").await.expect(200);
        (shown["data"][0]["accepted"] == 3 && shown["data"][1]["accepted"] == 1).then_some(shown)
    })
    .await;
    assert_eq!((&shown["endpointsOfEverything"], &shown["bucketSeconds"]), (&json!(1), &json!(3_600)));
    let stats: Vec<(&str, i64, i64)> = shown["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (
                it["name"].as_str().unwrap(),
                it["accepted"].as_i64().unwrap(),
                it["endpoints"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(stats, [("a", 3, 1), ("b", 1, 0), ("never", 0, 1)]);
    assert_eq!(shown["data"][0]["series"].as_array().unwrap().len(), 24);

    let subscribers = api.all("/event-type/a/endpoint", 1).await;
    let seen: Vec<(&Value, &Value, &Value)> =
        subscribers.iter().map(|it| (&it["endpointId"], &it["asksForEverything"], &it["disabled"])).collect();
    let (yes, no) = (json!(true), json!(false));
    assert_eq!(seen, [(&json!(named), &no, &no), (&json!(disabled), &no, &yes), (&json!(all), &yes, &no)]);
    let other = api.all("/event-type/b/endpoint", 50).await;
    assert_eq!((other.len(), &other[0]["endpointId"]), (1, &json!(all)));
    let tenant = app.api().claiming(&json!({"sub": one.id, "org": "org_test"}));
    tenant.get("/event-type/a/endpoint").await.expect_error(403, "forbidden");
    let stranger = app.api().claiming(&json!({"sub": "org_other"}));
    stranger.get("/event-type/a/endpoint").await.expect_error(404, "not_found");
}
