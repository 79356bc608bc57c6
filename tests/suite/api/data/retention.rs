//! How long things are kept is a setting of applications and environments, like any other.

use serde_json::json;

use crate::support::LocalApp;

#[tokio::test]
async fn an_application_and_an_environment_say_how_long_things_are_kept() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let api = app.environment();
    let made = api.get(&tenant.path("")).await.expect(200);
    assert!(made["messageRetentionDays"].is_null() && made.get("taskRetentionDays").is_some(), "{made}");
    let change = json!({"messageRetentionDays": 7, "openDeadLetterRetentionDays": 3650});
    let changed = api.patch(&tenant.path(""), &change).await.expect(200);
    assert_eq!(
        (&changed["messageRetentionDays"], &changed["deadLetterRetentionDays"]),
        (&json!(7), &json!(null))
    );
    let stored = "SELECT count(*) FROM application WHERE retention = '{\"messageRetentionDays\": 7, \"openDeadLetterRetentionDays\": 3650}'";
    assert_eq!(app.database().count(stored).await, 1, "what is not set is not stored");
    let listed = api.all("/app", 10).await;
    assert_eq!(listed[0]["messageRetentionDays"], 7);
    let cleared = api.patch(&tenant.path(""), &json!({"messageRetentionDays": null})).await.expect(200);
    assert_eq!(
        (&cleared["messageRetentionDays"], &cleared["openDeadLetterRetentionDays"]),
        (&json!(null), &json!(3650))
    );
    // A PUT is the whole of it.
    let put = json!({"name": "one", "taskRetentionDays": 2});
    let replaced = api.put(&tenant.path(""), &put).await.expect(200);
    assert_eq!(
        (&replaced["taskRetentionDays"], &replaced["openDeadLetterRetentionDays"]),
        (&json!(2), &json!(null))
    );

    let of_environment = json!({"messageRetentionDays": 30, "deadLetterRetentionDays": 1, "timeout": 5});
    api.patch("/environment/policy", &of_environment).await.expect(200);
    let shown = api.get("/environment/policy").await.expect(200);
    assert_eq!((&shown["deadLetterRetentionDays"], &shown["timeout"]), (&json!(1), &json!(5)));

    for days in [json!(0), json!(3651), json!(-1), json!("7"), json!(1.5)] {
        for path in ["/environment/policy".to_owned(), tenant.path("")] {
            let wrong = api.patch(&path, &json!({"messageRetentionDays": days})).await.expect_invalid();
            assert!(wrong.contains_key("body.messageRetentionDays"), "{days}: {wrong:?}");
        }
    }
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    own.patch(&tenant.path(""), &json!({"messageRetentionDays": 1})).await.expect_error(403, "forbidden");
    let told = api.all("/audit-log?action=application.updated", 10).await;
    assert_eq!(
        told.last().unwrap()["details"]["fields"],
        json!(["messageRetentionDays", "openDeadLetterRetentionDays"])
    );
    let told = api.all("/audit-log?action=environment.updated", 10).await;
    assert_eq!(
        told[0]["details"]["fields"],
        json!(["deadLetterRetentionDays", "messageRetentionDays", "timeout"])
    );
}
