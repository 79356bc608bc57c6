//! The cases.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::Options;
use crate::api::tenant;
use crate::ceiling;
use crate::measure::Durations;
use crate::post::{Destination, Pace, Posts, messages, post};
use crate::receiver::Receiver;
use crate::report::{Outcome, Report};
use crate::target::{Counters, Target};

/// A delivery that has not come when nothing has come for so long is missing.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// Runs what was asked for.
pub async fn run_all(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let wanted = |name: &str| options.cases.is_empty() || options.cases.iter().any(|case| case == name);
    let receiver = Receiver::start().await?;
    ceiling::run(options, &receiver, report).await?;
    for (name, endpoints, pace) in [
        ("one_endpoint", 1, Pace::Closed(options.connections)),
        ("one_endpoint, 200 loops", 1, Pace::Closed(200)),
        ("ten_endpoints", 10, Pace::Closed(options.connections)),
        ("one_at_a_time", 1, Pace::Closed(1)),
        ("steady_1000", 1, Pace::Steady(1000)),
    ] {
        if wanted(name.split(',').next().unwrap_or_default()) {
            let target = Target::start(options, Vec::new()).await?;
            let outcome = plain(name, options, &target, &receiver, endpoints, pace).await?;
            report.add(outcome)?;
            target.stop()?;
        }
    }
    if wanted("isolation") {
        isolation(options, &receiver, report).await?;
    }
    if wanted("backlog") {
        crate::backlog::run(options, &receiver, report).await?;
    }
    if wanted("dead_endpoint") {
        crate::backlog::dead(options, &receiver, report).await?;
    }
    if wanted("crash") {
        crash(options, &receiver, report).await?;
    }
    if wanted("takeover") {
        crate::takeover::run(options, &receiver, report).await?;
    }
    if wanted("idle") {
        idle(options, report).await?;
    }
    if options.cases.iter().any(|case| case == "life") {
        crate::life::run(options, &receiver, report).await?;
    }
    Ok(())
}

/// Posts at a pace to one tenant with healthy endpoints.
async fn plain(
    name: &str,
    options: &Options,
    target: &Target,
    receiver: &Arc<Receiver>,
    endpoints: u32,
    pace: Pace,
) -> anyhow::Result<Outcome> {
    let paths: Vec<String> = (0..endpoints).map(|n| format!("/ok/{n}")).collect();
    let app = tenant(target, receiver, &paths).await?;
    let destination = messages(options, target, &app);
    let numbers = Arc::new(AtomicU64::new(0));
    receiver.reset();
    // Warm up: connections, caches, plans.
    let warm = post(&destination, pace, 1, &numbers).await?.sent.len() as u64;
    receiver.wait_for(warm * u64::from(endpoints), PATIENCE).await;
    receiver.reset();
    let before = target.counters().await?;
    let began = Instant::now();
    let posts = post(&destination, pace, options.seconds, &numbers).await?;
    let posted = began.elapsed().as_secs_f64();
    let expected = posts.sent.len() as u64 * u64::from(endpoints);
    receiver.wait_for(expected, PATIENCE).await;
    let after = target.counters().await?;
    let mut outcome = evaluate(name, receiver, posts, endpoints, posted, began);
    add_counters(&mut outcome, before, after, expected / u64::from(endpoints));
    Ok(outcome)
}

/// What posts came to at a tenant with healthy endpoints.
pub fn evaluate(
    name: &str,
    receiver: &Receiver,
    mut posts: Posts,
    endpoints: u32,
    posted: f64,
    began: Instant,
) -> Outcome {
    let bad_signatures = receiver.bad_signatures.load(Ordering::Relaxed);
    let arrivals = receiver.take();
    let last = arrivals.seen.values().map(|(at, _)| *at).max().unwrap_or(began);
    let mut end_to_end = Durations::default();
    let (mut missing, mut duplicates) = (0, 0);
    for (number, sent) in &posts.sent {
        for endpoint in 0..endpoints {
            match arrivals.seen.get(&(*number, endpoint)) {
                Some((at, times)) => {
                    end_to_end.push(at.saturating_duration_since(*sent));
                    duplicates += u64::from(times - 1);
                }
                None => missing += 1,
            }
        }
    }
    let delivered = posts.sent.len() as u64 * u64::from(endpoints) - missing;
    Outcome {
        case: name.to_owned(),
        accepted_per_second: posts.sent.len() as f64 / posted,
        delivered_per_second: delivered as f64
            / last.saturating_duration_since(began).as_secs_f64().max(posted),
        accept: posts.accept.summary(),
        end_to_end: end_to_end.summary(),
        missing,
        duplicates,
        bad_signatures,
        ..Outcome::default()
    }
}

/// Adds what only a server of our own shows.
pub fn add_counters(outcome: &mut Outcome, before: Option<Counters>, after: Option<Counters>, messages: u64) {
    let (Some(before), Some(after)) = (before, after) else { return };
    let each = |count: i64| Some(count as f64 / messages.max(1) as f64);
    outcome.statements_per_message = each(after.statements - before.statements);
    outcome.wal_bytes_per_message = each(after.wal_bytes - before.wal_bytes);
    let updates = after.delivery_updates.0 - before.delivery_updates.0;
    let hot = after.delivery_updates.1 - before.delivery_updates.1;
    outcome.hot_share = (updates > 0).then(|| hot as f64 / updates as f64);
    outcome.cpu_postrider = after.postrider.cpu_seconds - before.postrider.cpu_seconds;
    outcome.cpu_postgres = after.postgres.cpu_seconds - before.postgres.cpu_seconds;
    outcome.peak_rss_mb = after.postrider.peak_rss as f64 / 1e6;
}

/// Healthy tenants alone, and then beside endpoints that hang, endpoints that fail and a tenant that shouts.
async fn isolation(options: &Options, receiver: &Arc<Receiver>, report: &mut Report) -> anyhow::Result<()> {
    let settings = vec![("POSTRIDER_REQUEST_TIMEOUT", "5s".to_owned())];
    let target = Target::start(options, settings).await?;
    let healthy = ten_healthy(options, &target, receiver).await?;
    let alone = healthy_tenants("isolation: alone", options, &target, receiver, &healthy).await?;
    report.add(alone)?;
    let mut hostile = Vec::new();
    for n in 0..5 {
        for kind in ["hang", "fail"] {
            let app = tenant(&target, receiver, &[format!("/{kind}/{n}")]).await?;
            hostile.push((messages(options, &target, &app), 20));
        }
    }
    let loud = tenant(&target, receiver, &["/slow/999".to_owned()]).await?;
    hostile.push((messages(options, &target, &loud), 20 * 30));
    let mut noise = tokio::task::JoinSet::new();
    for (destination, rate) in hostile {
        let seconds = options.seconds + 3;
        noise.spawn(async move {
            // Beyond every number that the healthy ones use.
            let numbers = Arc::new(AtomicU64::new(1 << 40));
            post(&destination, Pace::Steady(rate), seconds, &numbers).await
        });
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let beside =
        healthy_tenants("isolation: beside hostile ones", options, &target, receiver, &healthy).await?;
    report.add(beside)?;
    while let Some(posts) = noise.join_next().await {
        posts??;
    }
    target.stop()
}

/// Ten tenants with a healthy endpoint each.
pub async fn ten_healthy(
    options: &Options,
    target: &Target,
    receiver: &Receiver,
) -> anyhow::Result<Vec<Destination>> {
    let mut healthy = Vec::new();
    for n in 0..10 {
        let app = tenant(target, receiver, &[format!("/ok/{n}")]).await?;
        healthy.push(messages(options, target, &app));
    }
    Ok(healthy)
}

/// What tenants with a healthy endpoint each see, at a steady thirty messages a second each.
pub async fn healthy_tenants(
    name: &str,
    options: &Options,
    target: &Target,
    receiver: &Arc<Receiver>,
    healthy: &[Destination],
) -> anyhow::Result<Outcome> {
    receiver.reset();
    let before = target.counters().await?;
    let began = Instant::now();
    let numbers = Arc::new(AtomicU64::new(0));
    let mut loops = tokio::task::JoinSet::new();
    for (tenant, destination) in healthy.iter().enumerate() {
        let (destination, numbers, seconds) = (destination.clone(), numbers.clone(), options.seconds);
        loops.spawn(async move {
            let posts = post(&destination, Pace::Steady(30), seconds, &numbers).await?;
            anyhow::Ok((tenant, posts))
        });
    }
    let mut all = Vec::new();
    while let Some(done) = loops.join_next().await {
        all.push(done??);
    }
    let posted = began.elapsed().as_secs_f64();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let bad_signatures = receiver.bad_signatures.load(Ordering::Relaxed);
    let arrivals = receiver.take();
    let (mut end_to_end, mut accept) = (Durations::default(), Durations::default());
    let (mut missing, mut duplicates, mut count) = (0, 0, 0u64);
    for (tenant, posts) in all {
        accept.extend(posts.accept);
        for (number, sent) in posts.sent {
            count += 1;
            match arrivals.seen.get(&(number, u32::try_from(tenant)?)) {
                Some((at, times)) => {
                    end_to_end.push(at.saturating_duration_since(sent));
                    duplicates += u64::from(times - 1);
                }
                None => missing += 1,
            }
        }
    }
    let mut outcome = Outcome {
        case: name.to_owned(),
        accepted_per_second: count as f64 / posted,
        delivered_per_second: (count - missing) as f64 / posted,
        accept: accept.summary(),
        end_to_end: end_to_end.summary(),
        missing,
        duplicates,
        bad_signatures,
        ..Outcome::default()
    };
    add_counters(&mut outcome, before, target.counters().await?, count);
    Ok(outcome)
}

/// Closed loops while the server is killed and started again, three times.
async fn crash(options: &Options, receiver: &Arc<Receiver>, report: &mut Report) -> anyhow::Result<()> {
    const KILLS: u32 = 3;
    let mut target = Target::start(options, Vec::new()).await?;
    let app = tenant(&target, receiver, &["/ok/0".to_owned()]).await?;
    let destination = Destination { stubborn: true, ..messages(options, &target, &app) };
    receiver.reset();
    let began = Instant::now();
    let numbers = Arc::new(AtomicU64::new(0));
    let posting = {
        let (pace, seconds) = (Pace::Closed(options.connections), options.seconds);
        tokio::spawn(async move { post(&destination, pace, seconds, &numbers).await })
    };
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_secs(options.seconds) / (KILLS + 1)).await;
        target.crash().await?;
    }
    let posts = posting.await??;
    let posted = began.elapsed().as_secs_f64();
    receiver.wait_for(u64::MAX, Duration::from_secs(3)).await;
    let mut outcome = evaluate("crash", receiver, posts, 1, posted, began);
    outcome.note = format!("{KILLS} × SIGKILL and restart under load");
    report.add(outcome)?;
    target.stop()
}

/// What it costs to do nothing, and how fast it is ready on a database that is there.
async fn idle(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let mut target = Target::start(options, Vec::new()).await?;
    let began = Instant::now();
    target.crash().await?;
    let ready = began.elapsed();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = target.usage();
    // Ticks are coarse.
    let seconds = options.seconds.max(40);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let after = target.usage();
    let share = (after.cpu_seconds - before.cpu_seconds) / seconds as f64;
    report.add(Outcome {
        case: "idle".to_owned(),
        cpu_postrider: after.cpu_seconds - before.cpu_seconds,
        peak_rss_mb: after.peak_rss as f64 / 1e6,
        note: format!(
            "{:.2} % of a core; ready again {:.0} ms after a SIGKILL",
            share * 100.0,
            ready.as_secs_f64() * 1e3
        ),
        ..Outcome::default()
    })?;
    target.stop()
}
