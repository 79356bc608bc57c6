//! Pauses: what is posted meanwhile is accepted and held, on every node and across restarts, and goes out once.

use std::collections::HashSet;

use postrider::maintenance::{self, MaintenanceOptions, Round};
use serde_json::{Value, json};

use crate::support::receiver::Hook;
use crate::support::{Api, App, LocalApp, Receiver, Reply, Served, Setup, Tenant, TestApp, until};

async fn change(api: &Api, path: &str) -> Value {
    api.post(&format!("/admin/{path}"), &json!({})).await.expect(200)
}

/// Returns when so many deliveries are held, and nothing else is left to do.
async fn held(app: &App<impl Served>, number: i64) {
    until("what was posted is held", || async {
        let held = app.database().count("SELECT count(*) FROM delivery WHERE state = 'held'").await;
        (held == number).then_some(())
    })
    .await;
    app.settled().await;
}

async fn post(tenant: &Tenant, number: usize) -> HashSet<String> {
    let mut ids = HashSet::new();
    for number in 0..number {
        ids.insert(tenant.message("made", json!({"number": number})).await);
    }
    ids
}

fn arrived(receiver: &Receiver, hook: &Hook) -> Vec<String> {
    let mut ids: Vec<String> = receiver.received_at(hook).into_iter().map(|request| request.id).collect();
    ids.sort();
    ids
}

fn sorted(ids: HashSet<String>) -> Vec<String> {
    let mut ids: Vec<String> = ids.into_iter().collect();
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_endpoint_holds_and_the_others_go_on() {
    let (mut app, receiver) = (TestApp::start().await, Receiver::start().await);
    let another = app.another_node("other").await;
    let tenant = app.tenant("one").await;
    let mut there = tenant.clone();
    there.api = tenant.api.through(&another.address());
    let (quiet, other) = (receiver.hook("/quiet"), receiver.hook("/other"));
    let endpoint = tenant.endpoint(&quiet, json!({})).await;
    tenant.endpoint(&other, json!({})).await;
    let path = tenant.path(&format!("/endpoint/{endpoint}"));

    let paused = change(&tenant.api, &format!("pause{path}")).await;
    assert!(paused["pausedAt"].is_string(), "{paused}");
    assert_eq!(change(&tenant.api, &format!("pause{path}")).await, paused, "it stays as it was");
    assert_eq!(tenant.get_endpoint(&endpoint).await["pausedAt"], paused["pausedAt"]);
    let mut ids = post(&tenant, 10).await;
    ids.extend(post(&there, 10).await);
    receiver.wait_at(&other, 20).await;
    held(&app, 20).await;
    app.node_mut().kill9();
    app.node_mut().restart().await;
    ids.extend(post(&tenant, 5).await);
    receiver.wait_at(&other, 25).await;
    held(&app, 25).await;
    assert!(receiver.received_at(&quiet).is_empty());

    let resumed = change(&tenant.api, &format!("resume{path}")).await;
    assert_eq!(resumed["pausedAt"], Value::Null);
    app.done().await;
    assert_eq!(arrived(&receiver, &quiet), sorted(ids));
}

#[tokio::test]
async fn a_paused_application_holds_what_failed_before_as_well() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let (tenant, neighbour) = (app.tenant("one").await, app.tenant("two").await);
    let (failing, other) = (receiver.hook_that("/failing", |_| Reply::Status(500)), receiver.hook("/other"));
    let endpoint = tenant.endpoint(&failing, json!({"retrySchedule": [0.1, 0.1, 3600]})).await;
    neighbour.endpoint(&other, json!({})).await;

    let early = tenant.message("made", json!({})).await;
    receiver.wait_at(&failing, 3).await;
    let wait = crate::support::clock::wait_after(app.database(), 3).await;
    change(&tenant.api, &format!("pause{}", tenant.path(""))).await;
    let shown = tenant.api.get(&tenant.path("")).await.expect(200);
    assert!(shown["pausedAt"].is_string(), "{shown}");
    assert_eq!(tenant.get_endpoint(&endpoint).await["pausedAt"], Value::Null, "it is not paused by itself");
    receiver.now(&failing, |_| Reply::Status(200));
    let until_due = std::time::Duration::from_secs_f64(wait.from_now);
    crate::support::clock::time_passes(app.database(), until_due).await;
    let late = post(&tenant, 5).await;
    // Whoever may, delivers, and so the claimer has looked at the queue since.
    neighbour.message("made", json!({})).await;
    receiver.wait_at(&other, 1).await;
    until("what was posted is held", || async {
        (app.database().count("SELECT count(*) FROM delivery WHERE state = 'held'").await == 5).then_some(())
    })
    .await;
    assert_eq!(receiver.received_at(&failing).len(), 3);
    assert_eq!(app.database().count("SELECT count(*) FROM pending WHERE owner IS NOT NULL").await, 0);

    change(&tenant.api, &format!("resume{}", tenant.path(""))).await;
    app.done().await;
    let delivered: HashSet<String> = receiver
        .received_at(&failing)
        .into_iter()
        .filter(|request| request.answered == Some(200))
        .map(|request| request.id)
        .collect();
    assert_eq!(receiver.received_at(&failing).len(), 9);
    assert_eq!(delivered, late.into_iter().chain([early]).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_of_everything_reaches_every_node_and_survives_restarts() {
    let (mut app, receiver) = (TestApp::start().await, Receiver::start().await);
    let mut other = app.another_node("other").await;
    let tenant = app.tenant("one").await;
    let mut there = tenant.clone();
    there.api = tenant.api.through(&other.address());
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    let mut ids = post(&tenant, 5).await;
    ids.extend(post(&there, 5).await);
    receiver.wait_at(&hook, 10).await;
    app.settled().await;

    let paused = change(&app.operator(), "pause").await;
    assert!(paused["pausedAt"].is_string(), "{paused}");
    for node in [&*app as &crate::support::Node, &other] {
        let log = || async { node.log().contains("dispatching is paused").then_some(()) };
        until("each node has heard of it", log).await;
    }
    ids.extend(post(&tenant, 10).await);
    ids.extend(post(&there, 10).await);
    held(&app, 20).await;
    app.node_mut().kill9();
    app.node_mut().restart().await;
    other.terminate().await;
    other.restart().await;
    there.api = tenant.api.through(&other.address());
    ids.extend(post(&tenant, 5).await);
    ids.extend(post(&there, 5).await);
    held(&app, 30).await;
    assert_eq!(receiver.received_at(&hook).len(), 10, "nothing goes out, before the restarts or after");
    let seen = app.operator().get("/admin/pause").await.expect(200);
    assert_eq!(seen["pausedAt"], paused["pausedAt"]);

    change(&app.operator(), "resume").await;
    app.done().await;
    assert_eq!(arrived(&receiver, &hook), sorted(ids), "each exactly once");
}

#[tokio::test]
async fn what_was_queued_when_the_pause_came_is_held_and_what_was_out_finishes() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let (slow, other) = (receiver.hook_that("/slow", |_| Reply::Hang), receiver.hook("/other"));
    let endpoint = tenant.endpoint(&slow, json!({"maxInFlight": 1, "retrySchedule": []})).await;
    tenant.endpoint(&other, json!({})).await;
    post(&tenant, 4).await;
    receiver.wait_at(&slow, 1).await;
    receiver.wait_at(&other, 4).await;
    change(&tenant.api, &format!("pause{}", tenant.path(&format!("/endpoint/{endpoint}")))).await;
    until("what was queued is held", || async {
        (app.database().count("SELECT count(*) FROM delivery WHERE state = 'held'").await == 3).then_some(())
    })
    .await;
    until("what the other one took is recorded", || async {
        (app.database().count("SELECT count(*) FROM delivery WHERE state = 'delivered'").await == 4)
            .then_some(())
    })
    .await;
    let under_way = app.database().count("SELECT count(*) FROM delivery WHERE state = 'in_flight'").await;
    assert_eq!(under_way, 1, "what is out is not called back");
    receiver.now(&slow, |_| Reply::Status(200));
    // It is answered by its deadline, and is the receiver's to miss.
    app.settled().await;
    change(&tenant.api, &format!("resume{}", tenant.path(&format!("/endpoint/{endpoint}")))).await;
    app.done().await;
    assert_eq!(receiver.received_at(&slow).len(), 4);
    assert_eq!(tenant.dead_letters().await.len(), 1);
}

#[tokio::test]
async fn what_is_paused_for_too_long_dies_but_a_pause_of_everything_kills_nothing() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let hook = Receiver::start().await.hook("/hook");
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    let path = tenant.path(&format!("/endpoint/{endpoint}"));
    let store = crate::support::store::store(app.database()).await;
    let day = std::time::Duration::from_secs(86_400);
    let options = MaintenanceOptions {
        retention: 10 * day,
        hold_limit: 30 * day,
        audit_retention: 400 * day,
        dead_letter_retention: 90 * day,
        open_dead_letter_retention: Some(400 * day),
        task_retention: 30 * day,
        disable_after: None,
    };
    let a_month_passes = || async {
        let month = "UPDATE endpoint SET paused_at = paused_at - interval '31 days';
                     UPDATE dispatching SET paused_at = paused_at - interval '31 days';
                     UPDATE pending SET due_at = due_at - interval '31 days'";
        sqlx::raw_sql(month).execute(&app.database().pool).await.unwrap();
        until("its turn has come", || async {
            maintenance::run(&store.upkeep, options, Round::Minutely).await.unwrap().then_some(())
        })
        .await;
    };
    change(&app.operator(), "pause").await;
    until("it has heard", || async { app.log().contains("dispatching is paused").then_some(()) }).await;
    post(&tenant, 3).await;
    held(&app, 3).await;
    a_month_passes().await;
    held(&app, 3).await;
    change(&tenant.api, &format!("pause{path}")).await;
    change(&app.operator(), "resume").await;
    a_month_passes().await;
    app.done().await;
    let letters = tenant.dead_letters().await;
    assert!(letters.len() == 3 && letters.iter().all(|one| one["reason"] == "hold_expired"), "{letters:?}");
}

/// Pairs of attempts at one endpoint that were under way at the same time.
const AT_ONCE: &str = "
    SELECT count(*) FROM attempt a JOIN attempt b ON a.endpoint_id = b.endpoint_id AND a.id < b.id
    WHERE uuid_moment(b.id) < uuid_moment(a.id) + (a.duration_ms - 10) * interval '1 ms'";

#[tokio::test]
async fn a_receiver_that_comes_back_is_asked_one_at_a_time_until_it_answers_well() {
    let app = Setup::default().with("REQUEST_TIMEOUT", "300ms").start_local().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let (enabled, resumed) =
        (receiver.hook_that("/enabled", |_| Reply::Hang), receiver.hook_that("/resumed", |_| Reply::Hang));
    let settings = json!({"maxInFlight": 8, "retrySchedule": []});
    let (enabled_id, resumed_id) = (
        tenant.endpoint(&enabled, settings.clone()).await,
        tenant.endpoint(&resumed, settings.clone()).await,
    );
    let path = tenant.path(&format!("/endpoint/{resumed_id}"));
    tenant.patch_endpoint(&enabled_id, json!({"disabled": true})).await;
    change(&tenant.api, &format!("pause{path}")).await;
    post(&tenant, 6).await;
    held(&app, 12).await;
    tenant.patch_endpoint(&enabled_id, json!({"disabled": false})).await;
    change(&tenant.api, &format!("resume{path}")).await;
    app.done().await;
    assert_eq!(receiver.received().len(), 12);
    assert_eq!(app.database().count(AT_ONCE).await, 0);

    // One that was not away gets as many at once as it may have: here, all of them.
    let busy = receiver.hook_that("/busy", |_| Reply::Hang);
    let other = app.tenant("two").await;
    other.endpoint(&busy, settings).await;
    let mut posts = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let other = other.clone();
        posts.spawn(async move { other.message("made", json!({})).await });
    }
    posts.join_all().await;
    app.done().await;
    assert!(app.database().count(AT_ONCE).await > 0, "what is asserted above can be seen");
}

#[tokio::test]
async fn who_may_pause_what() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    let foreign = app.api().claiming(&json!({"sub": "org_other"}));
    let pause = format!("/admin/pause{}", tenant.path(""));
    own.post(&pause, &json!({})).await.expect_error(403, "forbidden");
    own.get("/admin/pause").await.expect_error(403, "forbidden");
    foreign.post(&pause, &json!({})).await.expect_error(404, "not_found");
    tenant.api.post("/admin/pause", &json!({})).await.expect_error(403, "forbidden");
    tenant.api.post("/admin/resume", &json!({})).await.expect_error(403, "forbidden");
    let nothing = format!("{pause}/endpoint/none");
    tenant.api.post(&nothing, &json!({})).await.expect_error(404, "not_found");

    change(&tenant.api, &format!("pause{}", tenant.path(""))).await;
    let listed = |seen: Value| seen["applications"].as_array().unwrap().len();
    assert_eq!(listed(tenant.api.get("/admin/pause").await.expect(200)), 1);
    assert_eq!(listed(foreign.get("/admin/pause").await.expect(200)), 0);
    assert_eq!(listed(app.operator().get("/admin/pause").await.expect(200)), 1);
    let actions: Vec<String> =
        sqlx::query_scalar("SELECT action FROM audit_log WHERE action LIKE '%paused' ORDER BY id")
            .fetch_all(&app.database().pool)
            .await
            .unwrap();
    assert_eq!(actions, ["application.paused"]);
}
