//! A replay of chosen dead letters, with a note; and one that sends the oldest first.

use serde_json::{Value, json};

use crate::support::receiver::Hook;
use crate::support::{Api, LocalApp, Receiver, Reply, Setup, Tenant, until};

/// A tenant whose endpoint has failed so many messages for good.
struct World {
    app: LocalApp,
    receiver: Receiver,
    tenant: Tenant,
    hook: Hook,
}

impl World {
    async fn new(letters: usize) -> Self {
        let app = Setup::default().with("RETRY_SCHEDULE", "none").start_local().await;
        let receiver = Receiver::start().await;
        let tenant = app.tenant("one").await;
        let hook = receiver.hook_that("/hook", |_| Reply::Status(500));
        tenant.endpoint(&hook, json!({})).await;
        for number in 0..letters {
            tenant.message("a.lost", json!({"number": number})).await;
            app.settled().await;
        }
        Self { app, receiver, tenant, hook }
    }

    /// The ids of the open dead letters, the oldest first.
    async fn open(&self) -> Vec<String> {
        let mut open: Vec<String> =
            self.tenant.dead_letters().await.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
        open.sort();
        open
    }

    async fn replay(&self, body: Value) -> Value {
        self.app.environment().post("/dead-letter/replay", &body).await.expect(202)
    }

    /// The numbers of the messages that came after the first `earlier` requests.
    fn numbers_after(&self, earlier: usize) -> Vec<i64> {
        let requests = self.receiver.received_at(&self.hook).split_off(earlier);
        let number = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["number"].as_i64().unwrap();
        requests.iter().map(|request| number(&request.body)).collect()
    }
}

async fn ended(api: &Api, task: &Value) -> Value {
    let path = format!("/background-task/{}", task["id"].as_str().unwrap());
    until("the background task ends", || async {
        let task = api.get(&path).await.expect(200);
        (task["status"] != "running").then_some(task)
    })
    .await
}

#[tokio::test]
async fn chosen_dead_letters_are_replayed_with_a_note_and_no_others() {
    let world = World::new(4).await;
    let open = world.open().await;
    let chosen = [open[1].clone(), open[2].clone(), "dl_01h455vb4pex5vsknk084sn02q".to_owned()];
    let api = world.app.environment();
    let preview = json!({"ids": chosen, "dryRun": true});
    let preview = api.post("/dead-letter/replay", &preview).await.expect(200);
    assert_eq!((&preview["count"], &preview["endpoints"][0]["count"]), (&json!(2), &json!(2)));
    assert_eq!(preview["lookedAt"], 2);
    world.receiver.now(&world.hook, |_| Reply::Status(200));
    let task = world.replay(json!({"ids": chosen, "note": "they mended their proxy"})).await;
    assert_eq!((&task["note"], &task["createdBy"]), (&json!("they mended their proxy"), &json!("org_test")));
    let task = ended(&api, &task).await;
    assert_eq!((&task["status"], &task["progress"]["done"]), (&json!("finished"), &json!(2)));
    assert_eq!(task["note"], "they mended their proxy");
    world.app.settled().await;
    let mut arrived = world.numbers_after(4);
    arrived.sort_unstable();
    assert_eq!(arrived, [1, 2]);
    assert_eq!(world.open().await, [open[0].clone(), open[3].clone()]);
    let entries = api.all("/audit-log?action=background_task.created", 10).await;
    assert_eq!(entries[0]["details"]["note"], "they mended their proxy");
    let listed = api.all("/background-task", 10).await;
    assert_eq!((&listed[0]["note"], &listed[0]["createdBy"]), (&task["note"], &json!("org_test")));

    let nothing = api.post("/dead-letter/replay", &json!({"ids": [], "dryRun": true})).await.expect(200);
    assert_eq!(nothing["count"], 0);
    let reason = json!({"ids": [open[0]], "note": "not wanted"});
    let task = api.post("/dead-letter/discard", &reason).await.expect(202);
    ended(&api, &task).await;
    assert_eq!(world.open().await, [open[3].clone()]);
    for (wrong, place) in [
        (json!({"ids": ["msg_01h455vb4pex5vsknk084sn02q"]}), "body.ids"),
        (json!({"ids": vec![&open[0]; 251]}), "body.ids"),
        (json!({"note": "x".repeat(501)}), "body.note"),
    ] {
        let found = api.post("/dead-letter/replay", &wrong).await.expect_invalid();
        assert!(found.keys().any(|at| at.starts_with(place)), "{place}: {found:?}");
    }
    let first = json!({"oldestFirst": true});
    assert!(api.post("/dead-letter/discard", &first).await.expect_invalid().contains_key("body.oldestFirst"));
}

#[tokio::test]
async fn a_replay_goes_on_only_once_the_oldest_was_answered_well() {
    let world = World::new(4).await;
    let api = world.app.environment();
    // It fails: the others stay.
    let task = world.replay(json!({"oldestFirst": true})).await;
    let task = ended(&api, &task).await;
    assert_eq!(
        (&task["status"], &task["data"]["error"], &task["progress"]["done"]),
        (&json!("failed"), &json!("first_was_refused"), &json!(1))
    );
    world.app.settled().await;
    assert_eq!((world.numbers_after(4), world.open().await.len()), (vec![0], 4));

    world.receiver.now(&world.hook, |_| Reply::Status(200));
    let task = world.replay(json!({"oldestFirst": true})).await;
    let task = ended(&api, &task).await;
    assert_eq!((&task["status"], &task["progress"]["done"]), (&json!("finished"), &json!(4)));
    world.app.settled().await;
    let numbers = world.numbers_after(5);
    assert_eq!((numbers[0], numbers.len(), world.open().await.len()), (0, 4, 0));
}

#[tokio::test]
async fn a_replay_that_asks_first_asks_each_endpoint_and_waits_for_one_that_is_paused() {
    let world = World::new(2).await;
    let other = world.receiver.hook_that("/other", |_| Reply::Status(500));
    let second = world.tenant.endpoint(&other, json!({"eventTypes": ["b.lost"]})).await;
    for _ in 0..2 {
        world.tenant.message("b.lost", json!({"number": 9})).await;
        world.app.settled().await;
    }
    assert_eq!(world.open().await.len(), 6);
    let api = world.app.environment();
    for hook in [&world.hook, &other] {
        world.receiver.now(hook, |_| Reply::Status(200));
    }
    let path = world.tenant.path(&format!("/endpoint/{second}"));
    api.post(&format!("/admin/pause{path}"), &json!({})).await.expect(200);
    let before = world.receiver.received_at(&world.hook).len();
    let task = world.replay(json!({"oldestFirst": true})).await;
    // The endpoint that is open has answered; the other one has not been asked.
    world.receiver.wait_at(&world.hook, before + 1).await;
    let deliveries = world.app.database();
    until("both were asked", || async {
        let waiting = "SELECT count(*) FROM delivery WHERE state = 'waiting'";
        (deliveries.count(waiting).await == 1).then_some(())
    })
    .await;
    let path_of_task = format!("/background-task/{}", task["id"].as_str().unwrap());
    assert_eq!(api.get(&path_of_task).await.expect(200)["status"], "running");
    assert_eq!(world.receiver.received_at(&world.hook).len(), before + 1);
    api.post(&format!("/admin/resume{path}"), &json!({})).await.expect(200);
    let task = ended(&api, &task).await;
    assert_eq!((&task["status"], &task["progress"]["done"]), (&json!("finished"), &json!(6)));
    world.app.settled().await;
    assert_eq!(world.open().await.len(), 0);
}

#[tokio::test]
async fn a_replay_tells_what_was_delivered_and_what_failed_again() {
    let world = World::new(3).await;
    let api = world.app.environment();
    // Of the three, the one in the middle fails again.
    world.receiver.now(&world.hook, |request| {
        let number = serde_json::from_slice::<Value>(&request.body).unwrap()["number"].as_i64();
        Reply::Status(if number == Some(1) { 500 } else { 200 })
    });
    let task = world.replay(json!({})).await;
    let counts =
        |task: &Value| (task["progress"]["delivered"].clone(), task["progress"]["failedAgain"].clone());
    assert_eq!(counts(&task), (json!(0), json!(0)));
    ended(&api, &task).await;
    world.app.settled().await;
    let seen = ended(&api, &task).await;
    assert_eq!(counts(&seen), (json!(2), json!(1)), "{seen}");
    let listed = api.all("/background-task", 10).await;
    assert_eq!(counts(&listed[0]), (json!(2), json!(1)));
    // What had ended stays counted, whatever becomes of it later.
    world.receiver.now(&world.hook, |_| Reply::Status(200));
    let second = world.replay(json!({})).await;
    ended(&api, &second).await;
    world.app.settled().await;
    assert_eq!(counts(&ended(&api, &second).await), (json!(1), json!(0)));
    assert_eq!(counts(&ended(&api, &task).await), (json!(2), json!(1)));
    let other = api.post("/dead-letter/discard", &json!({"ids": []})).await.expect(202);
    assert_eq!(counts(&other), (Value::Null, Value::Null), "nothing is delivered by it");
}

#[tokio::test]
async fn what_failed_once_and_is_to_be_tried_again_counts_as_failed_until_it_arrives() {
    let app = Setup::default().with("RETRY_SCHEDULE", "1h").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    tenant.message("a", json!({})).await;
    app.settled().await;
    receiver.now(&hook, |_| Reply::Status(500));
    let again = |status: u8| {
        let path = tenant.path(&format!("/endpoint/{endpoint}/bulk-replay"));
        let (api, body) = (app.environment(), json!({"since": "2020-01-01T00:00:00Z", "status": status}));
        async move { api.post(&path, &body).await.expect(202) }
    };
    let api = app.environment();
    let first = again(0).await;
    let failed = until("it fails", || async {
        let task = ended(&api, &first).await;
        (task["progress"]["failedAgain"] == 1).then_some(task)
    })
    .await;
    assert_eq!((&failed["progress"]["done"], &failed["progress"]["delivered"]), (&json!(1), &json!(0)));
    receiver.now(&hook, |_| Reply::Status(200));
    let second = again(3).await;
    ended(&api, &second).await;
    app.settled().await;
    for task in [&first, &second] {
        let progress = ended(&api, task).await["progress"].clone();
        assert_eq!((&progress["delivered"], &progress["failedAgain"]), (&json!(1), &json!(0)), "{progress}");
    }
}
