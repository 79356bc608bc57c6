//! However many deliveries die, and however many nodes there are, an environment gets one alert and one recovery.

use serde_json::{Value, json};

use crate::support::{LocalApp, Receiver, Reply, Setup, until};

use super::smtp::{Mail, SmtpServer};
use super::{AN_HOUR_LATER, NOW};

const BATCHES: usize = 10;
const BATCH: usize = 1_000;

/// What the storm left is over.
const NO_STORM: &str = "DELETE FROM rollup; DELETE FROM dead_letter";

fn mails_of(smtp: &SmtpServer, rule: &str) -> Vec<Mail> {
    smtp.mails().into_iter().filter(|mail| mail.header("Subject").contains(rule)).collect()
}

async fn wait_for_mails(app: &LocalApp, smtp: &SmtpServer, rule: &str, count: usize, statements: &str) {
    until(&format!("{count} e-mails on {rule}"), || async {
        app.database().run(statements).await;
        (mails_of(smtp, rule).len() >= count).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_dead_letters_is_one_alert_and_one_recovery() {
    let (smtp, receiver) = (SmtpServer::start().await, Receiver::start().await);
    let setup =
        Setup::default().with("SMTP_URL", &smtp.url).with("SMTP_FROM", "Postrider <alerts@example.com>");
    let app = setup.start_local().await;
    let _other = app.another_node("other").await;
    let channel = json!({"name": "On call", "kind": "email", "target": "one@example.com, two@example.com"});
    app.environment().post("/alert-channel", &channel).await.expect(201);
    let tenant = app.tenant("one").await;
    let failing = receiver.hook_that("/failing", |_| Reply::Status(500));
    tenant.endpoint(&failing, json!({"retrySchedule": []})).await;
    let messages: Vec<Value> =
        (0..BATCH).map(|number| json!({"eventType": "a.b", "payload": {"number": number}})).collect();
    for _ in 0..BATCHES {
        tenant.api.post(&tenant.path("/msg/batch"), &json!({"messages": messages})).await.expect(202);
        app.database().run(NOW).await;
    }
    app.settled().await;
    let dead = app.database().count("SELECT count(*) FROM dead_letter").await;
    assert_eq!(dead, (BATCHES * BATCH) as i64);

    // All attempts failed, which is what the other rule that is there from the start is about.
    for rule in ["Dead letters", "Many attempts fail"] {
        wait_for_mails(&app, &smtp, rule, 1, NOW).await;
    }
    let alert = mails_of(&smtp, "Dead letters").remove(0);
    assert_eq!(alert.header("Subject"), "[CRITICAL] Dead letters (org_test)");
    assert_eq!(alert.from, "alerts@example.com");
    assert_eq!(alert.to, ["one@example.com", "two@example.com"]);
    assert!(alert.text.contains("within 5 minutes."), "{}", alert.text);
    until("all dead letters are in the rollups", || async {
        app.database().run(NOW).await;
        let counted =
            "SELECT coalesce(max(sum), 0) FROM (SELECT sum(dead) FROM rollup WHERE step = 60 GROUP BY scope) s";
        (app.database().count(counted).await == dead).then_some(())
    })
    .await;

    app.database().run(NO_STORM).await;
    let later = format!("{AN_HOUR_LATER}; {NOW}");
    for rule in ["Dead letters", "Many attempts fail"] {
        wait_for_mails(&app, &smtp, rule, 2, &later).await;
    }
    // It is evaluated once more, and nothing is left to send.
    app.database().run(NOW).await;
    let due = "SELECT count(*) FROM alert_evaluation WHERE next_at <= now()";
    until("the rules were evaluated again", || async {
        (app.database().count(due).await == 0).then_some(())
    })
    .await;
    let waiting = "SELECT count(*) FROM alert_notice WHERE due_at IS NOT NULL";
    until("nothing is left to send", || async { (app.database().count(waiting).await == 0).then_some(()) })
        .await;
    for rule in ["Dead letters", "Many attempts fail"] {
        let subjects: Vec<String> = mails_of(&smtp, rule).iter().map(|mail| mail.header("Subject")).collect();
        assert_eq!(subjects.len(), 2, "one alert and one recovery: {subjects:?}");
        assert!(subjects[1].starts_with("[RECOVERED]"), "{subjects:?}");
    }
}
