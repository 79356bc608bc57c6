//! How much there is: as the database has it.

use serde_json::{Value, json};

use crate::support::{LocalApp, Receiver, Reply, Setup, Tenant, until};

async fn of(app: &LocalApp, tenant: &Tenant) -> Value {
    let all = app.environment().all("/usage", 1).await;
    all.into_iter().find(|usage| usage["appId"] == json!(tenant.id)).unwrap()
}

#[tokio::test]
async fn usage_is_what_the_database_has() {
    let app = Setup::default().with("RETRY_SCHEDULE", "100ms").start_local().await;
    let receiver = Receiver::start().await;
    let (one, two) = (app.tenant("one").await, app.tenant("two").await);
    one.endpoint(&receiver.hook("/well"), json!({})).await;
    one.endpoint(&receiver.hook_that("/ill", |_| Reply::Status(500)), json!({})).await;
    for number in 0..7 {
        one.message("a", json!({"number": number, "text": "x".repeat(number * 100)})).await;
    }
    two.message("a", json!({})).await;
    app.settled().await;
    let database = app.database();
    let counted = until("all of it is counted", || async {
        let usage = of(&app, &one).await;
        (usage["attempts"] == 21 && usage["messages"] == 7).then_some(usage)
    })
    .await;
    let count = |query: &'static str| database.count(query);
    let application = "application_id = (SELECT id FROM application WHERE name = 'one')";
    let of_one = async |what: &str| -> i64 {
        let query = format!("SELECT ({what})::bigint FROM message WHERE {application}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&database.pool).await.unwrap()
    };
    assert_eq!(counted["messages"], of_one("count(*)").await);
    assert_eq!(counted["payloadBytes"], of_one("sum(octet_length(payload))").await);
    assert_eq!(
        counted["deliveries"],
        count("SELECT count(*) FROM delivery").await,
        "the other has no endpoint"
    );
    assert_eq!(counted["attempts"], count("SELECT count(*) FROM attempt").await);
    assert_eq!(counted["deadLetters"], count("SELECT count(*) FROM dead_letter").await);
    assert!(counted["estimatedBytes"].as_i64().unwrap() > counted["payloadBytes"].as_i64().unwrap());
    let other = of(&app, &two).await;
    assert_eq!(
        (&other["messages"], &other["attempts"], &other["appName"]),
        (&json!(1), &json!(0), &json!("two"))
    );

    let operator = app.operator();
    let environments = until("the environment is counted", || async {
        let all = operator.all("/admin/usage/environment", 10).await;
        (all[0]["messages"] == 8).then_some(all)
    })
    .await;
    assert_eq!(environments[0]["environmentId"], "org_test");
    assert_eq!(
        environments[0]["payloadBytes"],
        count("SELECT sum(octet_length(payload))::bigint FROM message").await
    );
    sqlx::raw_sql("ANALYZE").execute(&database.pool).await.unwrap();
    let tables = operator.get("/admin/usage").await.expect(200);
    let messages =
        tables["tables"].as_array().unwrap().iter().find(|table| table["name"] == "message").unwrap();
    let files = "SELECT sum(pg_table_size(relid))::bigint FROM pg_partition_tree('message') WHERE isleaf";
    assert_eq!(messages["tableBytes"], count(files).await);
    assert_eq!(messages["rows"], 8);
    assert_eq!(
        messages["partitions"],
        count("SELECT count(*) FROM pg_partition_tree('message') WHERE isleaf").await
    );
    let whole = "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    let (told, there) = (tables["bytes"].as_i64().unwrap(), count(whole).await);
    // Nodes write a page now and then.
    assert!((told - there).abs() < 1 << 20, "{told} {there}");
    app.environment().get("/admin/usage").await.expect_error(403, "forbidden");
}
