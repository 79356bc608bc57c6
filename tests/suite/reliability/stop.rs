//! A stop ends, whatever the database does.

use std::time::Duration;

use serde_json::json;

use crate::support::cluster::{Cluster, StopMode};
use crate::support::{Api, Database, Node, Receiver, Reply, Setup, Tenant, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_without_the_database_ends_says_so_and_what_was_not_recorded_is_delivered_again() {
    let mut cluster = Cluster::start_in(None).await;
    let setup = Setup::default().with("SHUTDOWN_TIMEOUT", "1s");
    let mut node = Node::start(setup.variables(&cluster.url())).await;
    let receiver = Receiver::start().await;
    let environment = node.api().claiming(&json!({"sub": "org_test"}));
    let tenant = Tenant::create(&environment, "one").await;
    let hook = receiver.hook_that("/hook", |_| Reply::Hang);
    tenant.endpoint(&hook, json!({})).await;
    let mut accepted = Vec::new();
    for number in 0..40 {
        accepted.push(tenant.message("made", json!({"number": number})).await);
    }
    receiver.wait_at(&hook, 16).await;
    cluster.stop(StopMode::Immediate).await;
    let status = node.terminate().await;
    assert!(!status.success(), "something was left undone: {status}");
    assert!(node.log().contains("delivered again") || node.log().contains("takes it over"), "{}", node.log());

    cluster.restart().await;
    receiver.now(&hook, |_| Reply::Status(200));
    node.restart().await;
    receiver
        .wait_until("everything arrives", |all| {
            accepted
                .iter()
                .all(|id| all.iter().any(|request| request.id == *id && request.answered == Some(200)))
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_private_postgres_is_killed_under_load_ends_with_an_error() {
    let data = crate::support::data_dir::data_dir();
    let directory = data.path().join("data").display().to_string();
    let mut variables = Setup::default().with("DATA_DIR", &directory).variables("");
    variables.remove("DATABASE_URL");
    let mut node = Node::start(variables).await;
    let receiver = Receiver::start().await;
    let environment = node.api().claiming(&json!({"sub": "org_test"}));
    let tenant = Tenant::create(&environment, "one").await;
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    let posting = tokio::spawn(async move {
        for number in 0.. {
            let body = json!({"eventType": "made", "payload": {"number": number}});
            let request = tenant.api.request(reqwest::Method::POST, &tenant.path("/msg")).json(&body);
            if Api::try_send(request).await.is_err() {
                return;
            }
        }
    });
    receiver.wait_for_count(50).await;
    let pid = std::fs::read_to_string(data.path().join("data/postgres/postmaster.pid")).unwrap();
    let pid = nix::unistd::Pid::from_raw(pid.lines().next().unwrap().trim().parse().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    let status = node.ended().await;
    assert!(!status.success(), "{status}");
    assert!(node.log().contains("the private Postgres ended"), "{}", node.log());
    posting.await.unwrap();
    // The next start goes on with what is there.
    node.restart().await;
    assert!(node.terminate().await.success());
}

/// What was being handed back when a stop came used to be lost, because the stop cancelled it half-way.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_handed_back_while_it_stops_is_in_the_queue_afterwards() {
    let database = Database::fresh().await;
    let mut node = Node::start(Setup::default().variables(database.url())).await;
    let receiver = Receiver::start().await;
    let environment = node.api().claiming(&json!({"sub": "org_test"}));
    let tenant = Tenant::create(&environment, "one").await;
    let hook = receiver.hook_that("/hook", |_| Reply::Hang);
    let endpoint = tenant.endpoint(&hook, json!({})).await;
    for number in 0..200 {
        tenant.message("made", json!({"number": number})).await;
    }
    receiver.wait_at(&hook, 16).await;
    // Handing back waits for this lock; the stop comes meanwhile.
    let mut lock = database.pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE pending IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let api = tenant.api.clone();
    let path = tenant.path(&format!("/endpoint/{endpoint}"));
    let disabling = tokio::spawn(async move { api.patch(&path, &json!({"disabled": true})).await });
    until("the lane gives back", || async { node.log().contains("handed back").then_some(()) }).await;
    node.signal(nix::sys::signal::Signal::SIGTERM);
    tokio::time::sleep(Duration::from_millis(500)).await;
    lock.commit().await.unwrap();
    node.ended().await;
    disabling.abort();
    let lost = "SELECT count(*) FROM delivery d WHERE state IN ('in_flight', 'waiting', 'held')
                  AND NOT EXISTS (SELECT FROM pending p WHERE p.message_id = d.message_id)";
    assert_eq!(database.count(lost).await, 0, "what is not in the queue is nobody's");
    assert_eq!(database.count("SELECT count(*) FROM pending").await, 200);
}
