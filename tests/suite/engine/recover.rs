//! Endpoints that are sent what they missed: in the background, once each, through crashes, until it is called off.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::receiver::Hook;
use crate::support::{Api, App, Receiver, Reply, Served, Setup, Tenant, until};

const LONG_AGO: &str = "2020-01-01T00:00:00Z";

fn brief() -> Setup {
    Setup::default().with("RETRY_SCHEDULE", "20ms")
}

/// Posts so many messages and returns their ids.
async fn post(tenant: &Tenant, event_type: &str, number: usize) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for n in 0..number {
        ids.insert(tenant.message(event_type, json!({"n": n})).await);
    }
    ids
}

/// The ids of the messages that came to a hook.
fn came(receiver: &Receiver, hook: &Hook) -> BTreeSet<String> {
    receiver.received_at(hook).into_iter().map(|request| request.id).collect()
}

async fn ended(api: &Api, task: &Value) -> Value {
    let path = format!("/background-task/{}", task["id"].as_str().unwrap());
    until("the background task ends", || async {
        let task = api.get(&path).await.expect(200);
        (task["status"] != "running").then_some(task)
    })
    .await
}

/// What the dry run of a task says that it would send.
async fn previewed(api: &Api, path: &str, body: &Value) -> i64 {
    let mut body = body.clone();
    body["dryRun"] = json!(true);
    let shown = api.post(path, &body).await.expect(200);
    let counts = ["deadLetters", "waiting", "messages"].into_iter().filter_map(|kind| shown.get(kind));
    counts
        .inspect(|it| assert_eq!(it["isCapped"], false, "{shown}"))
        .map(|it| it["count"].as_i64().unwrap())
        .sum()
}

/// Starts a task at an endpoint, waits for its end and for what it sent, and returns how many it sent: as many as its preview
/// said, where it has one.
async fn whole(app: &App<impl Served>, tenant: &Tenant, endpoint: &str, what: &str, body: Value) -> i64 {
    let path = tenant.path(&format!("/endpoint/{endpoint}/{what}"));
    let told = match what {
        "recover" | "replay-missing" => Some(previewed(&app.environment(), &path, &body).await),
        _ => None,
    };
    let task = app.environment().post(&path, &body).await.expect(202);
    let task = ended(&app.environment(), &task).await;
    assert_eq!(task["status"], "finished", "{task}");
    app.settled().await;
    let sent = task["data"]["messagesSent"].as_i64().unwrap();
    assert_eq!(told.unwrap_or(sent), sent, "a preview of {what} tells what it does");
    sent
}

#[tokio::test]
async fn recover_sends_what_failed_and_nothing_else() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/one");
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let well = post(&tenant, "a", 2).await;
    app.settled().await;
    receiver.now(&hook, |_| Reply::Status(500));
    let lost = post(&tenant, "a", 3).await;
    app.settled().await;
    let discarded = tenant.dead_letters().await.remove(0);
    let path = format!("/dead-letter/{}/discard", discarded["id"].as_str().unwrap());
    app.environment().post(&path, &json!({})).await.expect(200);
    receiver.now(&hook, |_| Reply::Status(200));

    let later = "2100-01-01T00:00:00Z";
    assert_eq!(whole(&app, &tenant, &endpoint, "recover", json!({"since": later})).await, 0);
    let until_then = json!({"since": LONG_AGO, "until": "2021-01-01T00:00:00Z"});
    assert_eq!(whole(&app, &tenant, &endpoint, "recover", until_then).await, 0);
    // What counts is when a message was accepted, not when it was given up.
    let died = tenant.dead_letters().await.iter().map(|it| it["diedAt"].as_str().unwrap().to_owned()).min();
    let died_since = json!({"endpointId": endpoint, "since": died, "dryRun": true});
    assert_eq!(app.environment().post("/dead-letter/replay", &died_since).await.expect(200)["count"], 2);
    assert_eq!(whole(&app, &tenant, &endpoint, "recover", json!({"since": died})).await, 0);
    assert_eq!(whole(&app, &tenant, &endpoint, "recover", json!({"since": LONG_AGO})).await, 2);
    assert_eq!(whole(&app, &tenant, &endpoint, "recover", json!({"since": LONG_AGO})).await, 0);

    let arrived: Vec<String> = receiver
        .received_at(&hook)
        .into_iter()
        .filter(|request| request.answered == Some(200))
        .map(|request| request.id)
        .collect();
    assert_eq!(arrived.len(), 4, "nothing came twice: {arrived:?}");
    assert!(well.iter().all(|id| arrived.contains(id)));
    assert_eq!(lost.iter().filter(|id| arrived.contains(id)).count(), 2);
    assert!(tenant.dead_letters().await.is_empty());
}

#[tokio::test]
async fn a_new_endpoint_is_sent_what_it_was_never_to_get() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let wanted = post(&tenant, "invoice.paid", 3).await;
    post(&tenant, "invoice.lost", 2).await;
    let channelled =
        tenant.message_of(json!({"eventType": "invoice.paid", "channels": ["eu"], "payload": {}})).await;
    app.settled().await;
    let hook = receiver.hook("/new");
    let endpoint = tenant.endpoint(&hook, json!({"filterTypes": ["invoice.paid"]})).await;
    let since = json!({"since": LONG_AGO});
    assert_eq!(whole(&app, &tenant, &endpoint, "replay-missing", since.clone()).await, 4);
    let mut expected = wanted.clone();
    expected.insert(channelled.clone());
    assert_eq!(came(&receiver, &hook), expected);
    assert_eq!(receiver.received_at(&hook).len(), 4);

    let narrow = receiver.hook("/narrow");
    let endpoint = tenant.endpoint(&narrow, json!({"channels": ["eu", "us"]})).await;
    assert_eq!(whole(&app, &tenant, &endpoint, "replay-missing", since.clone()).await, 1);
    assert_eq!(came(&receiver, &narrow), BTreeSet::from([channelled]));
    // What it has got by now is not missing any more.
    assert_eq!(whole(&app, &tenant, &endpoint, "replay-missing", since).await, 0);
}

#[tokio::test]
async fn bulk_replay_takes_what_its_filter_says() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/one");
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    post(&tenant, "a", 2).await;
    tenant.message_of(json!({"eventType": "b", "channels": ["eu"], "tags": ["x"], "payload": {}})).await;
    app.settled().await;
    receiver.now(&hook, |_| Reply::Status(404));
    post(&tenant, "c", 1).await;
    app.settled().await;
    receiver.now(&hook, |_| Reply::Status(200));

    for (filter, number) in [
        (json!({"eventTypes": ["b", "z"]}), 1),
        (json!({"channel": "eu"}), 1),
        (json!({"tag": "y"}), 0),
        (json!({"statusCodeClass": 400}), 1),
        (json!({"status": 2}), 0),
        (json!({"status": 0}), 4),
        (json!({"status": 1}), 0),
        (json!({"status": 3}), 0),
        (json!({"until": "2021-01-01T00:00:00Z"}), 0),
        (json!({}), 4),
    ] {
        let mut body = json!({"since": LONG_AGO});
        body.as_object_mut().unwrap().extend(filter.as_object().unwrap().clone());
        assert_eq!(whole(&app, &tenant, &endpoint, "bulk-replay", body).await, number, "{filter}");
    }
    assert!(tenant.dead_letters().await.is_empty(), "what failed came along with its class");
    let path = tenant.path(&format!("/endpoint/{endpoint}/bulk-replay"));
    for wrong in
        [json!({}), json!({"since": LONG_AGO, "status": 9}), json!({"since": LONG_AGO, "until": LONG_AGO})]
    {
        app.environment().post(&path, &wrong).await.expect_invalid();
    }
}

#[tokio::test]
async fn a_replay_that_is_killed_in_the_middle_goes_on_and_sends_nothing_twice() {
    let mut app = brief().start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let posted = post(&tenant, "a", 30).await;
    app.settled().await;
    let hook = receiver.hook("/new");
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let path = tenant.path(&format!("/endpoint/{endpoint}/replay-missing"));
    let body = json!({"since": LONG_AGO, "ratePerSecond": 8});
    let task = app.environment().post(&path, &body).await.expect(202);
    receiver.wait_at(&hook, 3).await;
    app.node_mut().kill9();
    app.node_mut().launch();
    app.node_mut().ready().await;
    let task = ended(&app.environment(), &task).await;
    assert_eq!((&task["status"], &task["data"]["messagesSent"]), (&json!("finished"), &json!(30)));
    app.settled().await;
    assert_eq!(came(&receiver, &hook), posted);
    let begun = app.database().count("SELECT count(*) FROM delivery").await;
    assert_eq!(begun, 30, "each message has one delivery");
}

#[tokio::test]
async fn a_task_that_is_called_off_stops() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    post(&tenant, "a", 20).await;
    app.settled().await;
    let hook = receiver.hook("/new");
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    let path = tenant.path(&format!("/endpoint/{endpoint}/replay-missing"));
    let task = own.post(&path, &json!({"since": LONG_AGO, "ratePerSecond": 1})).await.expect(202);
    receiver.wait_at(&hook, 1).await;
    let task_path = format!("/background-task/{}", task["id"].as_str().unwrap());
    let other = app.tenant("two").await;
    let foreign = app.api().claiming(&json!({"sub": other.id, "org": "org_test"}));
    foreign.post(&format!("{task_path}/cancel"), &json!({})).await.expect_error(404, "not_found");
    let cancelled = own.post(&format!("{task_path}/cancel"), &json!({})).await.expect(200);
    assert_eq!((&cancelled["status"], &cancelled["canceled"]), (&json!("failed"), &json!(true)));
    let again = own.post(&format!("{task_path}/cancel"), &json!({})).await.expect(200);
    assert_eq!(again["progress"], cancelled["progress"], "what is called off moves no further");
    app.settled().await;
    let begun = app.database().count("SELECT count(*) FROM delivery").await;
    assert_eq!(cancelled["progress"]["done"].as_i64(), Some(begun));
    assert!(begun < 20);

    for (query, number) in [
        ("task=endpoint.replay", 1),
        ("task=endpoint.recover", 0),
        ("kind=endpoint.replay_missing&status=failed", 1),
        ("status=finished", 0),
    ] {
        assert_eq!(own.all(&format!("/background-task?{query}"), 5).await.len(), number, "{query}");
    }
}

#[tokio::test]
async fn a_deleted_endpoint_is_sent_nothing() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/one");
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    app.environment().delete(&tenant.path(&format!("/endpoint/{endpoint}"))).await.expect(204);
    for what in ["recover", "replay-missing", "bulk-replay"] {
        let path = tenant.path(&format!("/endpoint/{endpoint}/{what}"));
        app.environment().post(&path, &json!({"since": LONG_AGO})).await.expect_error(404, "not_found");
    }
}

#[tokio::test]
async fn recover_sends_now_what_still_waits_to_be_tried_again() {
    let (app, receiver) =
        (Setup::default().with("RETRY_SCHEDULE", "1h").start_local().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/down", |_| Reply::Status(500));
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let failed = post(&tenant, "a", 3).await;
    until("they wait to be tried again", || async {
        let waits = "SELECT count(*) FROM pending WHERE attempts > 0 AND owner IS NULL";
        (app.database().count(waits).await == 3).then_some(())
    })
    .await;
    receiver.now(&hook, |_| Reply::Status(200));
    assert_eq!(whole(&app, &tenant, &endpoint, "recover", json!({"since": LONG_AGO})).await, 3);
    assert_eq!(came(&receiver, &hook), failed);
    assert_eq!(receiver.received_at(&hook).len(), 6, "each a second time");
}

#[tokio::test]
async fn a_bulk_replay_tells_what_waits_for_its_first_attempt_from_what_was_tried() {
    let mut app = Setup::default().with("RETRY_SCHEDULE", "1h").start_local().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook_that("/down", |_| Reply::Status(500));
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    post(&tenant, "a", 2).await;
    until("they wait to be tried again", || async {
        let waits = "SELECT count(*) FROM pending WHERE attempts > 0 AND owner IS NULL";
        (app.database().count(waits).await == 2).then_some(())
    })
    .await;
    let path = tenant.path(&format!("/endpoint/{endpoint}/bulk-replay"));
    for (status, sent) in [(1, 0), (3, 2)] {
        let body = json!({"since": LONG_AGO, "status": status});
        let task = app.environment().post(&path, &body).await.expect(202);
        assert_eq!(ended(&app.environment(), &task).await["data"]["messagesSent"], sent, "status {status}");
    }
}
