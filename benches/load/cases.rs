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
        crate::isolation::run(options, &receiver, report).await?;
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
    if let (Some(before), Some(after)) = (before, after) {
        add_spent(outcome, after.since(before), messages);
    }
}

/// The same of what was spent in the meantime.
pub fn add_spent(outcome: &mut Outcome, spent: Counters, messages: u64) {
    let each = |count: i64| Some(count as f64 / messages.max(1) as f64);
    outcome.statements_per_message = each(spent.statements);
    outcome.wal_bytes_per_message = each(spent.wal_bytes);
    let (updates, hot) = spent.delivery_updates;
    outcome.hot_share = (updates > 0).then(|| hot as f64 / updates as f64);
    outcome.cpu_postrider = spent.postrider.cpu_seconds;
    outcome.cpu_postgres = spent.postgres.cpu_seconds;
    outcome.peak_rss_mb = spent.postrider.peak_rss as f64 / 1e6;
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
