//! Small charts of a page of applications or endpoints.

use serde_json::{Value, json};

use crate::support::{Receiver, Reply, Setup, until};

#[tokio::test]
async fn a_page_of_endpoints_or_applications_has_its_charts_in_one_answer() {
    let mut app = Setup::default().with("RETRY_SCHEDULE", "1h").start_local().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let (one, two) = (app.tenant("one").await, app.tenant("two").await);
    let well = one.endpoint(&receiver.hook("/well"), json!({})).await;
    let down = one.endpoint(&receiver.hook_that("/down", |_| Reply::Status(503)), json!({})).await;
    let other = two
        .endpoint(&receiver.hook_that("/other", |_| Reply::Status(404)), json!({"retrySchedule": []}))
        .await;
    for tenant in [&one, &one, &one, &two] {
        tenant.message("a", json!({})).await;
    }
    let api = app.environment();
    let path = format!("/stats/sparklines?kind=endpoint&range=1h&ids={down},nobody,{well},{other}");
    let shown = until("all is counted", || async {
        let shown = api.get(&path).await.expect(200);
        let whole = shown["data"][0]["waiting"]["count"] == 3
            && shown["data"][0]["failingSince"].is_string()
            && shown["data"][1]["attempts"] == 3
            && shown["data"][2]["deadOpen"]["count"] == 1
            && shown["data"][2]["attempts"] == 1;
        whole.then_some(shown)
    })
    .await;
    let data = shown["data"].as_array().unwrap();
    let ids: Vec<&Value> = data.iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, [&json!(down), &json!(well), &json!(other)], "in the order that was asked for");
    assert_eq!(shown["bucketSeconds"], 60);
    let [down_chart, well_chart, other_chart] = [&data[0], &data[1], &data[2]];
    assert_eq!((&down_chart["failedShare"], &well_chart["failedShare"]), (&json!(1.0), &json!(0.0)));
    assert_eq!((&down_chart["lastStatusCode"], &down_chart["lastFailure"]), (&json!(503), &json!("status")));
    assert_eq!(other_chart["failingSince"], Value::Null, "one failure is no series of them");
    assert_eq!(well_chart["lastFailure"], Value::Null);
    assert!(well_chart["p95Ms"].as_f64().is_some());
    let sum = |chart: &Value, column: &str| {
        chart[column].as_array().unwrap().iter().map(|it| it.as_i64().unwrap()).sum::<i64>()
    };
    assert_eq!((sum(well_chart, "delivered"), sum(down_chart, "failed")), (3, 3));
    assert_eq!(well_chart["delivered"].as_array().unwrap().len(), 60);

    let apps =
        api.get(&format!("/stats/sparklines?kind=application&ids={},{}", two.id, one.id)).await.expect(200);
    let apps = apps["data"].as_array().unwrap().clone();
    assert_eq!((&apps[0]["id"], &apps[1]["id"]), (&json!(two.id), &json!(one.id)));
    assert_eq!((&apps[1]["endpoints"], &apps[1]["failingEndpoints"]), (&json!(2), &json!(1)));
    assert_eq!((&apps[1]["attempts"], &apps[1]["waiting"]["count"]), (&json!(6), &json!(3)));
    assert_eq!(apps[0]["deadOpen"], json!({"count": 1, "isCapped": false}));

    let own = app.api().claiming(&json!({"sub": one.id, "org": "org_test"}));
    let mine = own.get(&one.path(&format!("/stats/sparklines?ids={well},{other}"))).await.expect(200);
    assert_eq!((mine["data"].as_array().unwrap().len(), &mine["data"][0]["id"]), (1, &json!(well)));
    own.get(&path).await.expect_error(403, "forbidden");
    own.get(&two.path(&format!("/stats/sparklines?ids={other}"))).await.expect_error(404, "not_found");
    let many = vec![well.clone(); 101].join(",");
    api.get(&format!("/stats/sparklines?kind=endpoint&ids={many}")).await.expect_invalid();
    api.get("/stats/sparklines?kind=message&ids=x").await.expect_invalid();
}
