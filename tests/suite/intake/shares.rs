//! What one caller may take of what all share.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::multiplexed::Multiplexed;
use super::raw::{answer, head, status};
use crate::support::store::store;
use crate::support::{Api, Database, LocalApp, Setup, until};

/// So many statements wait for a lock.
const BLOCKED: &str = "SELECT count(*) FROM pg_locks WHERE NOT granted";

async fn are_blocked(database: &Database) -> Option<()> {
    (database.count(BLOCKED).await > 0).then_some(())
}

/// Whoever goes away in the middle of a look-up leaves nothing behind, and known callers wait for none of them.
#[tokio::test]
async fn keys_that_are_made_up_keep_nobody_out() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    let made = app.environment().post("/api-key", &json!({"name": "fresh"})).await.expect(201);
    let fresh = app.api().with_token(made["key"].as_str().unwrap());
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    let mut strangers = Multiplexed::connect(&app.address(), 65_535).await;
    let mut slow = app.database().pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE api_key IN ACCESS EXCLUSIVE MODE").execute(&mut *slow).await.unwrap();
    let mut asking = Vec::new();
    for nth in 0..20 {
        asking.push(strangers.get("/app", &format!("pr_{nth:0>42}A")).await);
    }
    strangers.ping().await.unwrap();
    until("one is looked for", || are_blocked(app.database())).await;
    own.get(&tenant.path("/endpoint")).await.expect(200);
    for (_, stream) in &mut asking {
        stream.send_reset(h2::Reason::CANCEL);
    }
    strangers.ping().await.unwrap();
    slow.rollback().await.unwrap();
    fresh.get("/app").await.expect(200);
}

/// Bodies of those who sign in are held up from many addresses.
#[tokio::test]
async fn those_who_sign_in_slowly_keep_no_tenant_from_writing() {
    let setup = Setup::default().with("MAX_BODY_BYTES", "256KiB").with("BODY_BUDGET_BYTES", "1MiB");
    let app = setup.with("TRUSTED_PROXIES", "127.0.0.0/8").start_local().await;
    let tenant = app.tenant("one").await;
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    let mut held = Vec::new();
    // A quarter of the budget.
    for nth in 0..16 {
        let asking = format!("expect: 100-continue\r\nx-forwarded-for: 192.0.2.{nth}\r\ncontent-type");
        let head = head("/session", "", 16 << 10).replace("content-type", &asking);
        let mut connection = TcpStream::connect(app.address()).await.unwrap();
        connection.write_all(head.as_bytes()).await.unwrap();
        assert_eq!(status(&answer(&mut connection).await.unwrap().0), 100, "the body is waited for");
        held.push(connection);
    }
    own.post(&tenant.path("/endpoint"), &json!({"url": "https://example.com/"})).await.expect(201);
}

/// A tenant's requests that go on take every connection.
#[tokio::test]
async fn a_tenant_with_every_connection_gives_one_up() {
    let app = Setup::default().with("MAX_CONNECTIONS", "8").start_local().await;
    let tenant = app.tenant("one").await;
    let own = json!({"sub": tenant.id, "org": "org_test", "cap": ["ViewBase"]});
    let own = app.api().claiming(&own).token().to_owned();
    let mut held = Vec::new();
    for _ in 0..8 {
        let watching = head(&tenant.path("/live?topics=message"), &own, 0).replace("POST", "GET");
        let mut connection = TcpStream::connect(app.address()).await.unwrap();
        connection.write_all(watching.as_bytes()).await.unwrap();
        let mut begin = [0; 12];
        connection.read_exact(&mut begin).await.unwrap();
        assert_eq!(&begin, b"HTTP/1.1 200");
        held.push(connection);
    }
    let newcomer = Api::at(&app.address()).with_token(app.environment().token());
    newcomer.get("/app").await.expect(200);
}

/// An answer whose head was taken, and nothing else but PINGs.
#[tokio::test]
async fn a_page_that_is_not_taken_gives_its_room_to_others() {
    // There is room for three answers of 200 KiB and no third page of 256 KiB, which is in memory twice while it is written.
    let setup = Setup::default().with("ANSWER_TIMEOUT", "1s").with("PAGE_BYTES", "256KiB");
    let setup = setup.with("MAX_BODY_BYTES", "256KiB").with("ANSWER_BUDGET_BYTES", "1MiB");
    let app = setup.start_local().await;
    let (tenant, other) = (app.tenant("one").await, app.tenant("other").await);
    for tenant in [&tenant, &other] {
        tenant.message("large", json!({"text": "x".repeat(200 << 10)})).await;
    }
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test", "cap": ["ViewBase"]}));
    let mut connection = Multiplexed::connect(&app.address(), 0).await;
    let mut answers = Vec::new();
    for _ in 0..3 {
        let (answer, stream) = connection.get(&tenant.path("/msg"), own.token()).await;
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 200);
        answers.push((answer, stream));
    }
    let pings = async { while connection.ping().await.is_ok() {} };
    let path = other.path("/msg");
    let asked = until("others have its room", async || {
        let page = other.api.get(&path).await;
        (page.status == 200).then(|| page.json()["data"].as_array().unwrap().len())
    });
    let ((), shown) = tokio::join!(pings, asked);
    assert_eq!(shown, 1);
}

/// Health is asked for by anybody, over the connections of heartbeats.
#[tokio::test]
async fn many_who_ask_for_health_are_one_question_to_the_database() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    let mut slow = database.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE node IN ACCESS EXCLUSIVE MODE").execute(&mut *slow).await.unwrap();
    let asking: Vec<_> = (0..20)
        .map(|_| {
            let queue = store.queue.clone();
            tokio::spawn(async move { queue.queue_health().await })
        })
        .collect();
    until("it is asked", || are_blocked(&database)).await;
    slow.rollback().await.unwrap();
    for asked in asking {
        assert_eq!(asked.await.unwrap().unwrap().live_nodes, 0);
    }
    let connections = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE '-- health::queue%'";
    assert_eq!(database.count(connections).await, 1);
}
