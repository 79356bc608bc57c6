//! What the database refuses is never thrown away: see also `chaos::refuse_logins`.

use serde_json::json;

use crate::support::{LocalApp, Receiver, Reply, Setup, until};

#[tokio::test]
async fn an_outcome_with_a_value_that_the_database_refuses_is_recorded_without_it() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    // No answer of a receiver can do this any more, so the database is made to refuse one.
    let refuse = "ALTER TABLE attempt ADD CONSTRAINT no_body CHECK (octet_length(response_body) < 3 OR
                  response_body = '(the answer could not be stored)')";
    sqlx::query(refuse).execute(&app.database().pool).await.unwrap();
    receiver.now(&hook, |_| Reply::With(200, "x-answer", "a long answer".to_owned()));
    let one = tenant.message("made", json!({})).await;
    receiver.wait_at(&hook, 1).await;
    app.settled().await;
    let attempts = tenant.attempts(&endpoint).await;
    assert_eq!((attempts.len(), &attempts[0]["msgId"]), (1, &json!(one)));
    assert_eq!(attempts[0]["response"], "(the answer could not be stored)");
    assert!(app.log().contains("the database refuses a value of it"));
}

#[tokio::test]
async fn an_outcome_that_cannot_be_recorded_at_all_ends_as_a_dead_letter_that_says_so() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    let refuse = "ALTER TABLE attempt ADD CONSTRAINT no_attempts CHECK (url = '')";
    sqlx::query(refuse).execute(&app.database().pool).await.unwrap();
    tenant.message("made", json!({})).await;
    tenant.message("made", json!({})).await;
    receiver.wait_at(&hook, 2).await;
    let letters = until("dead letters", || async {
        let letters = tenant.dead_letters().await;
        (letters.len() == 2).then_some(letters)
    })
    .await;
    assert!(letters.iter().all(|letter| letter["reason"] == "unrecordable"), "{letters:?}");
    app.settled().await;
}

/// Endpoints that answer 410 are disabled in the transaction that records the answer, while their application is
/// changed all the time.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_and_a_change_of_its_application_do_not_lock_each_other_up() {
    let app = Setup::default().with("LOG", "debug").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/hook", |_| Reply::Status(410));
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    for round in 0..30 {
        tenant.patch_endpoint(&endpoint, json!({"disabled": false})).await;
        let changes = async {
            for change in 0..4 {
                let description = format!("{round} {change}");
                tenant.patch_endpoint(&endpoint, json!({"description": description})).await;
            }
        };
        tokio::join!(tenant.message("made", json!({"round": round})), changes);
    }
    app.settled().await;
    assert!(!app.log().contains("deadlock"), "{}", app.log());
    for letter in tenant.dead_letters().await {
        assert_eq!(letter["reason"], "gone");
    }
    let deadlocks: i64 =
        sqlx::query_scalar("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            .fetch_one(&app.database().pool)
            .await
            .unwrap();
    assert_eq!(deadlocks, 0);
    app.environment().delete(&tenant.path(&format!("/endpoint/{endpoint}"))).await.expect(204);
    app.done().await;
}
