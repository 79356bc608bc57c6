//! A backlog: so many deliveries held for a disabled endpoint, and then let go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Method;

use crate::Options;
use crate::api::tenant;
use crate::client::Connection;
use crate::evaluate::{ARRIVAL_TIMEOUT, add_counters, evaluate};
use crate::isolation::{healthy_tenants, ten_healthy};
use crate::post::{Pace, Posts, messages, post};
use crate::receiver::Receiver;
use crate::report::{Outcome, Report};
use crate::target::Target;

/// Holds so many deliveries for a tenant's disabled endpoint. Returns the tenant and the posts.
async fn fill(
    options: &Options,
    target: &Target,
    receiver: &Receiver,
    path: &str,
    count: u64,
) -> anyhow::Result<(String, Posts)> {
    let app = tenant(target, receiver, &[path.to_owned()]).await?;
    let endpoint = switch(target, &app, true).await?;
    let destination = messages(options, target, &app);
    receiver.reset();
    // Beyond every number that other tenants use.
    let first = 1 << 41;
    let numbers = Arc::new(AtomicU64::new(first));
    let mut posts = Posts::default();
    while numbers.load(Ordering::Relaxed) - first < count {
        let more = post(&destination, Pace::Closed(options.connections), 1, &numbers).await?;
        posts.sent.extend(more.sent);
        posts.accept.extend(more.accept);
    }
    anyhow::ensure!(
        receiver.delivered.load(Ordering::Relaxed) == 0,
        "{endpoint} is disabled, and got something"
    );
    Ok((app, posts))
}

/// A backlog for an endpoint that never answers, let go beside ten healthy tenants.
pub async fn dead(options: &Options, receiver: &Arc<Receiver>, report: &mut Report) -> anyhow::Result<()> {
    let target = Target::start(options, Vec::new()).await?;
    let healthy = ten_healthy(options, &target, receiver).await?;
    let (app, posts) = fill(options, &target, receiver, "/hang/0", options.backlog).await?;
    // What filling it left to do for the database is not what is measured.
    target.settle_down().await?;
    let held = healthy_tenants(options.seconds, &target, receiver, &healthy).await?;
    let mut held = held.outcome("dead endpoint: held");
    held.note = format!("{} deliveries are held", posts.sent.len());
    report.add(held)?;
    switch(&target, &app, false).await?;
    let due = healthy_tenants(options.seconds, &target, receiver, &healthy).await?;
    let mut due = due.outcome("dead endpoint: due");
    due.note = format!("{} deliveries are due, to an endpoint that never answers", posts.sent.len());
    report.add(due)?;
    let later = healthy_tenants(options.seconds, &target, receiver, &healthy).await?;
    let mut later = later.outcome("dead endpoint: due, later");
    later.note = "the same, ten seconds on".to_owned();
    report.add(later)?;
    target.stop()
}

/// Backlogs: a small one and the full one, whose claims should cost the same, and one that drains while somebody
/// else's transaction keeps every dead row from being cleared away.
pub async fn run(options: &Options, receiver: &Arc<Receiver>, report: &mut Report) -> anyhow::Result<()> {
    report.add(drain("backlog, small", options, receiver, 10_000, false).await?)?;
    report.add(drain("backlog", options, receiver, options.backlog, false).await?)?;
    let half = options.backlog / 2;
    report.add(drain("backlog, foreign snapshot", options, receiver, half, true).await?)
}

/// Fills the queue while the endpoint is disabled, enables it, and measures how fast the queue drains.
async fn drain(
    name: &str,
    options: &Options,
    receiver: &Arc<Receiver>,
    count: u64,
    beside_a_snapshot: bool,
) -> anyhow::Result<Outcome> {
    let target = Target::start(options, Vec::new()).await?;
    let (app, posts) = fill(options, &target, receiver, "/ok/0", count).await?;
    let mut snapshot = None;
    if beside_a_snapshot && let Some(mut database) = target.database().await? {
        for statement in ["BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM application"] {
            sqlx::raw_sql(statement).execute(&mut database).await?;
        }
        snapshot = Some(database);
    }
    target.settle_down().await?;
    let before = target.counters().await?;
    let claims_before = target.claims().await?;
    let count = posts.sent.len() as u64;
    let began = Instant::now();
    switch(&target, &app, false).await?;
    let mut reached = 0;
    while !receiver.wait_for(count, Duration::from_millis(500)).await {
        let now = receiver.delivered.load(Ordering::Relaxed);
        if now == reached && began.elapsed() > ARRIVAL_TIMEOUT {
            break;
        }
        reached = now;
    }
    let drained = began.elapsed().as_secs_f64();
    let after = target.counters().await?;
    let claims = target.claims().await?;
    drop(snapshot);
    let mut outcome = evaluate(name, receiver, posts, 1, drained, began);
    add_counters(&mut outcome, before, after, count);
    outcome.accepted_per_second = 0.0;
    let milliseconds = claims.milliseconds - claims_before.milliseconds;
    outcome.note = format!(
        "{count} held deliveries, drained in {drained:.1} s; {} claims of {:.1} ms, {:.1} µs a delivery",
        claims.calls - claims_before.calls,
        milliseconds / (claims.calls - claims_before.calls).max(1) as f64,
        milliseconds * 1e3 / count.max(1) as f64,
    );
    target.stop()?;
    Ok(outcome)
}

/// Disables or enables the application's only endpoint, and returns its id.
async fn switch(target: &Target, app: &str, disabled: bool) -> anyhow::Result<String> {
    let mut connection = Connection::open(&target.base).await?;
    let path = format!("/api/v1/app/{app}/endpoint");
    let (_, list) = connection.send(Method::GET, &path, &target.headers, Bytes::new()).await?;
    let list: serde_json::Value = serde_json::from_slice(&list)?;
    let id = list["data"][0]["id"].as_str().unwrap_or_default().to_owned();
    let body = Bytes::from(format!("{{\"disabled\":{disabled}}}"));
    let (status, answer) =
        connection.send(Method::PATCH, &format!("{path}/{id}"), &target.headers, body).await?;
    anyhow::ensure!(status.is_success(), "PATCH: {status} {}", String::from_utf8_lossy(&answer));
    Ok(id)
}
