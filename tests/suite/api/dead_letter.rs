//! Dead letters: how they are found, how they come back, and how they are laid aside.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::receiver::Hook;
use crate::support::{Api, App, Receiver, Reply, Served, Setup, Tenant, until};

/// A server whose deliveries die after their second attempt.
fn brief() -> Setup {
    Setup::default().with("RETRY_SCHEDULE", "20ms")
}

/// A tenant with an endpoint that fails.
struct Failing {
    tenant: Tenant,
    hook: Hook,
    endpoint: String,
}

impl Failing {
    async fn new(app: &App<impl Served>, receiver: &Receiver, name: &str) -> Self {
        let tenant = app.tenant(name).await;
        let hook = receiver.hook_that(&format!("/{name}"), |_| Reply::Status(500));
        let endpoint = tenant.endpoint(&hook, json!({})).await;
        Self { tenant, hook, endpoint }
    }

    /// Messages that died.
    async fn die(&self, app: &App<impl Served>, number: usize) -> BTreeSet<String> {
        let mut ids = BTreeSet::new();
        for number in 0..number {
            ids.insert(self.tenant.message("order.lost", json!({"number": number})).await);
        }
        app.settled().await;
        ids
    }

    /// The only open dead letter.
    async fn only(&self) -> Value {
        let mut open = self.tenant.dead_letters().await;
        assert_eq!(open.len(), 1, "{open:?}");
        open.remove(0)
    }
}

fn id_of(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

fn path_of(letter: &Value, rest: &str) -> String {
    format!("/dead-letter/{}{rest}", id_of(letter))
}

/// The ids of the messages in these dead letters.
fn messages(letters: &[Value]) -> BTreeSet<String> {
    letters.iter().map(|letter| letter["msgId"].as_str().unwrap().to_owned()).collect()
}

/// The background task, when it has ended.
async fn ended(api: &Api, task: &Value) -> Value {
    let path = format!("/background-task/{}", id_of(task));
    until("the background task ends", || async {
        let task = api.get(&path).await.expect(200);
        (task["status"] != "running").then_some(task)
    })
    .await
}

#[tokio::test]
async fn replay_goes_only_to_the_endpoint_that_missed_it() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    let well = receiver.hook("/well");
    failing.tenant.endpoint(&well, json!({})).await;
    let posted = failing.tenant.raw(r#"{"b":1, "a":2}"#).await.expect(202);
    app.settled().await;
    let letter = failing.only().await;
    assert_eq!(
        (letter["reason"].as_str(), letter["lastStatusCode"].as_i64()),
        (Some("exhausted"), Some(500))
    );

    receiver.now(&failing.hook, |_| Reply::Status(200));
    let answer = app.environment().post(&path_of(&letter, "/replay"), &json!({})).await.expect(202);
    assert_eq!(answer["state"], "replayed");
    app.settled().await;
    let requests = receiver.received_at(&failing.hook);
    assert_eq!(requests.len(), 3);
    assert!(
        requests.iter().all(|request| request.id == id_of(&posted) && request.body == r#"{"b":1, "a":2}"#)
    );
    assert_eq!(receiver.received_at(&well).len(), 1);
    let attempts = failing.tenant.attempts(&failing.endpoint).await;
    assert_eq!((attempts[0]["status"].as_i64(), attempts[0]["triggerType"].as_i64()), (Some(0), Some(1)));
}

#[tokio::test]
async fn a_replay_that_fails_is_an_open_dead_letter_again() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    failing.die(&app, 1).await;
    let letter = failing.only().await;
    app.environment().post(&path_of(&letter, "/replay"), &json!({})).await.expect(202);
    app.settled().await;
    let again = failing.only().await;
    assert_eq!(id_of(&again), id_of(&letter));
    assert_ne!(again["diedAt"], letter["diedAt"]);
    let whole = app.environment().get(&path_of(&letter, "")).await.expect(200);
    let numbers: Vec<&Value> =
        whole["attempts"].as_array().unwrap().iter().map(|a| &a["attemptNumber"]).collect();
    assert_eq!(numbers, [2, 1, 2, 1]);
    assert_eq!(whole["payload"], json!({"number": 0}));
}

#[tokio::test]
async fn replay_cannot_be_started_twice_at_once() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    failing.die(&app, 1).await;
    let letter = failing.only().await;
    receiver.now(&failing.hook, |_| Reply::Status(200));
    let mut twins = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (api, path) = (app.environment(), path_of(&letter, "/replay"));
        twins.spawn(async move { api.post(&path, &json!({})).await });
    }
    let (mut started, mut refused) = (0, 0);
    for answer in twins.join_all().await {
        if answer.status == 202 {
            started += 1;
        } else {
            answer.expect_error(409, "already_replayed");
            refused += 1;
        }
    }
    assert_eq!((started, refused), (1, 7));
    app.settled().await;
    assert_eq!(receiver.received_at(&failing.hook).len(), 3);
    app.environment()
        .post(&path_of(&letter, "/replay"), &json!({}))
        .await
        .expect_error(409, "already_replayed");
}

#[tokio::test]
async fn replay_brings_back_what_retention_took() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    let ids = failing.die(&app, 1).await;
    let letter = failing.only().await;
    for statement in ["DELETE FROM message", "DELETE FROM delivery"] {
        sqlx::query(statement).execute(&app.database().pool).await.unwrap();
    }
    receiver.now(&failing.hook, |_| Reply::Status(200));
    app.environment().post(&path_of(&letter, "/replay"), &json!({})).await.expect(202);
    let requests = receiver.wait_at(&failing.hook, 3).await;
    assert!(ids.contains(&requests[2].id));
    assert_eq!(requests[2].body, r#"{"number":0}"#);
    app.settled().await;
}

#[tokio::test]
async fn a_dead_letter_of_a_deleted_endpoint_stays_open() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    failing.die(&app, 1).await;
    let letter = failing.only().await;
    let path = failing.tenant.path(&format!("/endpoint/{}", failing.endpoint));
    app.environment().delete(&path).await.expect(204);
    app.environment()
        .post(&path_of(&letter, "/replay"), &json!({}))
        .await
        .expect_error(409, "endpoint_deleted");
    assert_eq!(id_of(&failing.only().await), id_of(&letter));
    let preview = app.environment().post("/dead-letter/replay", &json!({"dryRun": true})).await.expect(200);
    assert_eq!(preview["count"], 0);
}

#[tokio::test]
async fn bulk_replay_reports_progress_and_survives_a_restart() {
    const LETTERS: usize = 60;
    let (mut app, receiver) = (brief().start().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    let ids = failing.die(&app, LETTERS).await;
    receiver.now(&failing.hook, |_| Reply::Status(200));
    let api = app.environment();
    let asked = json!({"endpointId": failing.endpoint, "ratePerSecond": 20});
    let task = api.post("/dead-letter/replay", &asked).await.expect(202);
    assert_eq!((&task["kind"], &task["progress"]["total"]), (&json!("dead_letter.replay"), &json!(LETTERS)));
    let path = format!("/background-task/{}", id_of(&task));
    let done = until("the task is under way", || async {
        api.get(&path).await.expect(200)["progress"]["done"].as_u64().filter(|done| *done >= 5)
    })
    .await;
    assert!(done < LETTERS as u64, "it was to be killed on the way");
    app.node_mut().kill9();
    app.node_mut().restart().await;

    let task = ended(&api, &task).await;
    assert_eq!((&task["status"], &task["progress"]["done"]), (&json!("finished"), &json!(LETTERS)));
    app.settled().await;
    let arrived: BTreeSet<String> = receiver
        .received_at(&failing.hook)
        .into_iter()
        .filter(|request| request.answered == Some(200))
        .map(|request| request.id)
        .collect();
    assert_eq!(arrived, ids);
    assert!(failing.tenant.dead_letters().await.is_empty());
}

#[tokio::test]
async fn dry_run_counts_and_changes_nothing() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    failing.die(&app, 3).await;
    let api = app.environment();
    for operation in ["replay", "discard"] {
        let asked = json!({"eventType": "order.lost", "dryRun": true});
        let answer = api.post(&format!("/dead-letter/{operation}"), &asked).await.expect(200);
        assert_eq!(answer, json!({"dryRun": true, "count": 3}));
    }
    assert_eq!(failing.tenant.dead_letters().await.len(), 3);
    assert!(api.all("/background-task", 10).await.is_empty());
    let misspelt = api.post("/dead-letter/replay", &json!({"event_type": "order.lost"})).await;
    assert!(misspelt.expect_invalid().contains_key("body.event_type"));
}

#[tokio::test]
async fn a_discarded_dead_letter_is_left_alone_until_it_is_asked_for() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    failing.die(&app, 2).await;
    let api = app.environment();
    let task = api.post("/dead-letter/discard", &json!({"appId": failing.tenant.id})).await.expect(202);
    assert_eq!(ended(&api, &task).await["progress"], json!({"done": 2, "total": 2}));
    assert!(failing.tenant.dead_letters().await.is_empty());
    let discarded = api.all("/dead-letter?state=discarded", 10).await;
    assert_eq!(discarded.len(), 2);

    let task = api.post("/dead-letter/replay", &json!({})).await.expect(202);
    assert_eq!(ended(&api, &task).await["progress"], json!({"done": 0, "total": 0}));
    receiver.now(&failing.hook, |_| Reply::Status(200));
    api.post(&path_of(&discarded[0], "/replay"), &json!({})).await.expect(202);
    app.settled().await;
    let states = api.all("/dead-letter", 10).await;
    let states: Vec<&str> = states.iter().map(|letter| letter["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["replayed", "discarded"]);
    api.post(&path_of(&discarded[0], "/discard"), &json!({})).await.expect_error(409, "already_replayed");
}

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

#[tokio::test]
async fn resend_reaches_one_endpoint_whatever_became_of_the_message() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let failing = Failing::new(&app, &receiver, "one").await;
    let id = failing.die(&app, 1).await.pop_first().unwrap();
    let late = receiver.hook("/late");
    let latecomer = failing.tenant.endpoint(&late, json!({})).await;
    receiver.now(&failing.hook, |_| Reply::Status(200));
    let api = app.environment();
    let resend = |endpoint: &str| failing.tenant.path(&format!("/msg/{id}/endpoint/{endpoint}/resend"));

    // One that died, the same once it was delivered, and one that it was never fanned out to.
    for (endpoint, hook, number) in
        [(&failing.endpoint, &failing.hook, 3), (&failing.endpoint, &failing.hook, 4), (&latecomer, &late, 1)]
    {
        let answer = api.post(&resend(endpoint), &json!({})).await.expect(202);
        assert_eq!(answer["outcome"], "started");
        app.settled().await;
        assert_eq!(receiver.received_at(hook).len(), number);
    }
    assert!(failing.tenant.dead_letters().await.is_empty());
    for path in [
        resend("ep_00000000000000000000000000"),
        resend(&latecomer).replace(&id, "msg_00000000000000000000000000"),
    ] {
        api.post(&path, &json!({})).await.expect_error(404, "not_found");
    }
}

#[tokio::test]
async fn what_waits_for_a_deleted_endpoint_becomes_a_dead_letter() {
    let (app, receiver) = (brief().start_local().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let endpoint = tenant.endpoint(&receiver.hook("/closed"), json!({"disabled": true})).await;
    tenant.message("a", json!({"kept": true})).await;
    app.environment().delete(&tenant.path(&format!("/endpoint/{endpoint}"))).await.expect(204);
    app.done().await;
    let open = tenant.dead_letters().await;
    assert_eq!((open.len(), &open[0]["reason"]), (1, &json!("endpoint_deleted")));
    let whole = app.environment().get(&path_of(&open[0], "")).await.expect(200);
    assert_eq!(whole["payload"], json!({"kept": true}));
    assert!(receiver.received().is_empty());
}
