//! Backups: what a database that was restored to an earlier moment sends again, what is gone, and how that is found.
//! `docs/backup.md` tells operators to do what is done here.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

use crate::support::api::Answer;
use crate::support::cluster::{Cluster, StopMode, give_to_server, place};
use crate::support::receiver::{Hook, Received};
use crate::support::{Node, Receiver, Reply, Setup, Tenant, until};

/// The node keeps its name, and so frees what its former self held.
fn setup() -> Setup {
    Setup::default().with("NODE_NAME", "one").with("RETRY_SCHEDULE", "1s,1s,1s,1s,1s,1s,1s,1s,1s,1s")
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

async fn ask(cluster: &Cluster, query: &'static str) -> String {
    let mut connection = PgConnection::connect(&cluster.own_url()).await.unwrap();
    sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
}

fn archiving(archive: &Path) -> Vec<String> {
    let into = archive.display();
    [
        "wal_level=replica".to_owned(),
        "max_wal_senders=4".to_owned(),
        "archive_mode=on".to_owned(),
        format!("archive_command=test ! -f {into}/%f && cp %p {into}/%f"),
    ]
    .into()
}

fn restoring(archive: &Path, moment: &str) -> Vec<String> {
    [
        "max_wal_senders=4".to_owned(),
        "wal_level=replica".to_owned(),
        format!("restore_command=cp {}/%f %p", archive.display()),
        format!("recovery_target_time={moment}"),
        "recovery_target_action=promote".to_owned(),
    ]
    .into()
}

async fn post(tenant: &Tenant, event: &str) -> Answer {
    let body = json!({"eventType": "made", "eventId": event, "payload": {"event": event}});
    tenant.api.post(&tenant.path("/msg"), &body).await
}

async fn message(tenant: &Tenant, event: &str) -> String {
    post(tenant, event).await.expect(202)["id"].as_str().unwrap().to_owned()
}

/// The ids of what this place has answered 200, in order.
fn delivered(receiver: &Receiver, hook: &Hook) -> Vec<String> {
    let all = receiver.received_at(hook).into_iter();
    all.filter(|request| request.answered == Some(200)).map(|request| request.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_to_an_earlier_moment_what_was_delivered_since_comes_again_and_what_came_since_is_found()
 {
    let backup = place();
    let (archive, base) = (backup.path().join("wal"), backup.path().join("base"));
    let receiver = Receiver::start().await;
    let (steady, flaky) = (receiver.hook("/steady"), receiver.hook_that("/flaky", |_| Reply::Status(503)));

    std::fs::create_dir(&archive).unwrap();
    give_to_server(&archive);
    let mut cluster = Cluster::start_with(&archiving(&archive)).await;
    let mut node = Node::start(setup().variables(&cluster.url())).await;
    let tenant = Tenant::create(&node.api().claiming(&json!({"sub": "org_test"})), "one").await;
    tenant.endpoint(&steady, json!({"filterTypes": ["made"]})).await;
    tenant.endpoint(&flaky, json!({"channels": ["flaky"]})).await;
    let before = message(&tenant, "before").await;
    receiver.wait_at(&steady, 1).await;
    let mut basebackup = cluster.program("pg_basebackup");
    succeed(basebackup.arg("-D").arg(&base).args(["--wal-method=stream", "--checkpoint=fast"]));

    // After the backup of the files: only the log has it. It is not delivered yet at the moment that is restored.
    let body = json!({"eventType": "other", "eventId": "waiting", "payload": {}, "channels": ["flaky"]});
    let waiting = tenant.message_of(body).await;
    receiver.wait_at(&flaky, 1).await;
    let waits = "SELECT coalesce(min(state::text), '') FROM delivery WHERE state IN ('waiting', 'in_flight')";
    until("its failure is recorded", || async { (ask(&cluster, waits).await == "waiting").then_some(()) })
        .await;
    until("what went well is recorded", || async {
        let query = "SELECT count(*)::text FROM delivery WHERE state = 'delivered'";
        (ask(&cluster, query).await == "1").then_some(())
    })
    .await;
    let moment = ask(&cluster, "SELECT clock_timestamp()::text").await;

    // What happens since: a delivery, and a message that is accepted and delivered.
    receiver.now(&flaky, |_| Reply::Status(200));
    let came =
        |all: &[Received]| all.iter().filter(|one| one.path == "/flaky" && one.answered == Some(200)).count();
    receiver.wait_until("the receiver works again", |all| came(all) == 1).await;
    let since = message(&tenant, "since").await;
    receiver.wait_at(&steady, 2).await;
    assert_eq!(delivered(&receiver, &flaky), [waiting.as_str()]);
    node.kill9();
    cluster.stop(StopMode::Fast).await;

    std::fs::write(base.join("recovery.signal"), "").unwrap();
    give_to_server(&base.join("recovery.signal"));
    let mut restored = Cluster::start_on(&base, &restoring(&archive, &moment)).await;
    until("the restored server takes writes", || async {
        (ask(&restored, "SELECT pg_is_in_recovery()::text").await == "false").then_some(())
    })
    .await;
    let mut node = Node::start(setup().variables(&restored.url())).await;
    let tenant = Tenant { api: tenant.api.through(&node.address()), id: tenant.id };
    // What was delivered since comes again, as the same message.
    receiver.wait_until("it comes again", |all| came(all) == 2).await;
    assert_eq!(delivered(&receiver, &flaky), [waiting.as_str(), waiting.as_str()]);

    // What was accepted since is not known: the producer's ids, or those that receivers got, tell which.
    for (id, event, status) in [(&before, "before", 200), (&waiting, "waiting", 200), (&since, "since", 404)]
    {
        for name in [id.as_str(), event] {
            assert_eq!(tenant.api.get(&tenant.path(&format!("/msg/{name}"))).await.status, status, "{name}");
        }
    }
    // So everything that was posted lately is posted again: what is there is refused, the rest is accepted.
    post(&tenant, "before").await.expect_error(409, "event_id_taken");
    post(&tenant, "waiting").await.expect_error(409, "event_id_taken");
    let anew = message(&tenant, "since").await;
    receiver.wait_at(&steady, 3).await;
    assert_eq!(delivered(&receiver, &steady), [before, since, anew]);
    until("all is recorded", || async {
        let query = "SELECT count(*)::text FROM delivery WHERE state IN ('waiting', 'in_flight')";
        (ask(&restored, query).await == "0").then_some(())
    })
    .await;
    assert!(node.terminate().await.success());
    restored.stop(StopMode::Fast).await;
}

/// What nodes do not write on their own.
const TABLES: [&str; 13] = [
    "_sqlx_migrations",
    "environment",
    "application",
    "endpoint",
    "endpoint_secret",
    "message",
    "message_event_id",
    "delivery",
    "pending",
    "attempt",
    "dead_letter",
    "audit_log",
    "sealing",
];

async fn rows(url: &str) -> Vec<(&'static str, i64)> {
    let pool = PgPool::connect(url).await.unwrap();
    let mut rows = Vec::new();
    for table in TABLES {
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        rows.push((table, sqlx::query_scalar(count).fetch_one(&pool).await.unwrap()));
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_has_everything_and_what_waited_in_it_goes_out() {
    let place = place();
    let dump = place.path().join("postrider.dump");
    let receiver = Receiver::start().await;
    let hook = receiver.hook("/hook");
    let cluster = Cluster::start_in(None).await;
    let mut node = Node::start(setup().variables(&cluster.url())).await;
    let operator = node.api().claiming(&json!({"sub": "operator"}));
    let tenant = Tenant::create(&node.api().claiming(&json!({"sub": "org_test"})), "one").await;
    tenant.endpoint(&hook, json!({"headers": {"x-kept": "sealed"}})).await;
    let done = message(&tenant, "done").await;
    receiver.wait_at(&hook, 1).await;
    operator.post("/admin/pause", &json!({})).await.expect(200);
    let held = message(&tenant, "held").await;
    // While the node runs.
    succeed(cluster.program("pg_dump").args(["--format=custom", "--file"]).arg(&dump).arg("postgres"));
    assert!(node.terminate().await.success());

    succeed(cluster.program("createdb").arg("restored"));
    let restore = ["--dbname=restored", "--exit-on-error", "--no-owner"];
    succeed(cluster.program("pg_restore").args(restore).arg(&dump));
    let mut there: url::Url = cluster.own_url().parse().unwrap();
    there.set_path("restored");
    assert_eq!(rows(there.as_str()).await, rows(&cluster.own_url()).await);

    let mut url: url::Url = cluster.url().parse().unwrap();
    url.set_path("restored");
    let mut node = Node::start(setup().variables(url.as_str())).await;
    let operator = node.api().claiming(&json!({"sub": "operator"}));
    operator.post("/admin/resume", &json!({})).await.expect(200);
    let came = receiver.wait_at(&hook, 2).await;
    assert_eq!(came.iter().map(|request| &request.id).collect::<Vec<_>>(), [&done, &held]);
    assert_eq!(came[1].headers["x-kept"], "sealed", "what is sealed opens with the same main secret");
    // Functions that indexes are made with work without a search path, as a restore runs them.
    let found = tenant.api.through(&node.address()).get("/app?q=on").await.expect(200);
    assert_eq!(found["data"].as_array().unwrap().len(), 1, "{found}");
    until("all is recorded", || async {
        let mut connection = PgConnection::connect(there.as_str()).await.unwrap();
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM delivery WHERE state <> 'delivered'")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        (left == 0).then_some(())
    })
    .await;
    assert!(node.terminate().await.success());
}
