//! Everything of an application as a stream of lines.

use std::time::Duration;

use chrono::DateTime;
use serde_json::{Value, json};

use super::ended;
use crate::support::api::Answer;
use crate::support::{LocalApp, Receiver, Reply, Setup, Tenant, until};

fn lines(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn export(tenant: &Tenant, what: &str) -> Vec<Value> {
    lines(&tenant.api.get(&tenant.path(&format!("/export/{what}"))).await)
}

fn ids(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn messages_attempts_and_dead_letters_come_as_lines_the_oldest_first() {
    let app = Setup::default().with("RETRY_SCHEDULE", "100ms").start_local().await;
    let receiver = Receiver::start().await;
    let (tenant, other) = (app.tenant("one").await, app.tenant("two").await);
    tenant.endpoint(&receiver.hook_that("/ill", |_| Reply::Status(500)), json!({})).await;
    other.endpoint(&receiver.hook("/well"), json!({})).await;
    let mut posted = Vec::new();
    for number in 0..60 {
        posted.push(tenant.message("a", json!({ "number": number })).await);
    }
    other.message("a", json!({"secret": 1})).await;
    app.settled().await;

    let messages = export(&tenant, "message").await;
    let mut sorted = posted.clone();
    sorted.sort_unstable();
    assert_eq!(ids(&messages), sorted);
    let one = tenant.api.get(&tenant.path(&format!("/msg/{}", posted[0]))).await.expect(200);
    assert!(messages.contains(&one), "a line is what the operation shows");

    let attempts = export(&tenant, "attempt").await;
    assert_eq!(attempts.len(), 120);
    let keys: Vec<(&str, &str)> =
        attempts.iter().map(|line| (line["msgId"].as_str().unwrap(), line["id"].as_str().unwrap())).collect();
    assert!(keys.is_sorted() && attempts.iter().all(|line| line["response"] == "answered 500"));
    let letters = export(&tenant, "dead-letter").await;
    assert_eq!(letters.len(), 60);
    assert!(
        ids(&letters).is_sorted() && letters.iter().all(|line| line["payload"]["number"].is_u64()),
        "{}",
        letters[0]
    );

    // It goes on after any line, within a time, and without content.
    let get = async |rest: &str| lines(&tenant.api.get(&tenant.path(rest)).await);
    let rest = get(&format!("/export/message?cursor={}", sorted[9])).await;
    assert_eq!(ids(&rest), sorted[10..]);
    let rest = get(&format!("/export/attempt?cursor={}.{}", keys[62].0, keys[62].1)).await;
    assert_eq!(ids(&rest), ids(&attempts[63..]));
    let rest = get(&format!("/export/dead-letter?cursor={}", ids(&letters)[9])).await;
    assert_eq!(ids(&rest), ids(&letters[10..]));
    let times = |line: &Value| line["timestamp"].as_str().unwrap().to_owned();
    let (since, until) = (times(&messages[20]), times(&messages[40]));
    // As text, a full second comes behind its parts.
    let moment = |text: &str| DateTime::parse_from_rfc3339(text).unwrap();
    let before = |line: &Value, end: &str| moment(&times(line)) < moment(end);
    let within: Vec<&Value> =
        messages.iter().filter(|line| !before(line, &since) && before(line, &until)).collect();
    let found = get(&format!("/export/message?since={since}&until={until}")).await;
    assert_eq!(found.iter().collect::<Vec<_>>(), within);
    assert_eq!(
        get(&format!("/export/attempt?until={since}")).await.len(),
        2 * messages.iter().filter(|line| before(line, &since)).count()
    );
    let bare = get("/export/message?with_content=false").await;
    assert!(bare.len() == 60 && bare.iter().all(|line| line["payload"] == json!({})));
    let bare = get("/export/attempt?with_content=false").await;
    assert!(bare.len() == 120 && bare.iter().all(|line| line["response"] == ""));
    let bare = get("/export/dead-letter?with_content=false").await;
    assert!(bare.len() == 60 && bare.iter().all(|line| line.get("payload").is_none()));

    // A tenant takes along what is its own; what there is not is an error at once.
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test"}));
    assert_eq!(lines(&own.get(&tenant.path("/export/message")).await).len(), 60);
    own.get(&other.path("/export/message")).await.expect_error(404, "not_found");
    for wrong in [
        "message?cursor=x",
        "message?since=yesterday",
        "attempt?cursor=msg_00000000000000000000000000",
        "dead-letter?cursor=1",
    ] {
        tenant.api.get(&tenant.path(&format!("/export/{wrong}"))).await.expect_invalid();
    }
    assert_eq!(export(&app.tenant("empty").await, "message").await, Vec::<Value>::new());
}

/// What was expunged is a line without it, and a large payload is a page of its own.
#[tokio::test]
async fn large_payloads_and_missing_ones_are_lines_like_any() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    for number in 0..6 {
        tenant.message("a", json!({"number": number, "text": "x".repeat(600_000)})).await;
    }
    let small = tenant.message("a", json!({})).await;
    app.environment().delete(&tenant.path(&format!("/msg/{small}/content"))).await.expect(204);
    let messages = export(&tenant, "message").await;
    assert_eq!(messages.len(), 7);
    assert_eq!(messages.iter().filter(|line| line["payload"] == json!({"expired": true})).count(), 1);
}

/// The most memory that a process has had.
fn peak_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() >> 10
}

/// Much more than fits into any buffer on the way, of which only the beginning is taken.
#[tokio::test]
async fn whoever_goes_away_ends_it_and_nothing_is_read_ahead() {
    let app = Setup::default().start().await;
    let tenant = app.tenant("one").await;
    let fill = "INSERT INTO message (id, application_id, event_type, payload)
                SELECT (left(uuid_at(now() - make_interval(secs => n))::text, 15) || '7' || right(gen_random_uuid()::text, 20))::uuid,
                       (SELECT id FROM application), 'a.b', ('{\"text\":\"' || repeat('x', 100000) || '\"}')::bytea
                FROM generate_series(1, 900) n";
    sqlx::raw_sql(fill).execute(&app.database().pool).await.unwrap();
    let path = tenant.path("/export/message");
    let before = peak_mib(app.pid());
    let ask = async || tenant.api.request(reqwest::Method::GET, &path).send().await.unwrap();
    let statements = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '-- message::list%'
                      AND state <> 'idle'";
    let mut first = ask().await;
    let begun = first.chunk().await.unwrap().unwrap();
    assert!(begun.starts_with(b"{"));
    let mut second = ask().await;
    second.chunk().await.unwrap().unwrap();
    // Two of one credential at a time. They wait for who does not take them, and hold no statement.
    let third = until("a third is refused", || async {
        let answer = ask().await;
        (answer.status() == 429).then(|| answer.headers().contains_key("retry-after"))
    })
    .await;
    assert!(third);
    until("nothing is read", || async { (app.database().count(statements).await == 0).then_some(()) }).await;
    drop((first, second));
    // Their places are free again, and one who takes it gets all.
    let whole = until("there is room again", || async {
        let answer = ask().await;
        (answer.status() == 200).then_some(answer)
    })
    .await;
    let text = tokio::time::timeout(Duration::from_secs(60), whole.text()).await.unwrap().unwrap();
    assert_eq!((text.lines().count(), text.len() > 90_000_000), (900, true));
    let grown = peak_mib(app.pid()) - before;
    println!("the process grew by {grown} MiB while {} MiB went out", text.len() >> 20);
    assert!(grown < 64, "{grown} MiB");
}

/// Erased in between, there is nothing more to come; the stream ends as it should.
#[tokio::test]
async fn what_is_erased_is_in_no_export() {
    let app = LocalApp::start().await;
    let tenant = app.tenant("one").await;
    tenant.message_of(json!({"eventType": "a", "payload": {}, "tags": ["person-1"]})).await;
    tenant.message("a", json!({})).await;
    let task = app.environment().post("/erasure", &json!({"tag": "person-1"})).await.expect(202);
    ended(&app.environment(), &task).await;
    assert_eq!(export(&tenant, "message").await.len(), 1);
}
