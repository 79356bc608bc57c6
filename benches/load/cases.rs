//! The cases.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use crate::Options;
use crate::api::tenant;
use crate::ceiling;
use crate::evaluate::{ARRIVAL_TIMEOUT, add_counters, evaluate};
use crate::post::{Destination, Pace, messages, post};
use crate::receiver::Receiver;
use crate::report::{Outcome, Report};
use crate::target::Target;

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
    if options.cases.iter().any(|case| case == "console") {
        crate::console::run(options).await?;
    }
    if options.cases.iter().any(|case| case == "pace") {
        crate::pace::run(options, &receiver).await?;
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
    receiver.wait_for(warm * u64::from(endpoints), ARRIVAL_TIMEOUT).await;
    receiver.reset();
    let before = target.counters().await?;
    let began = Instant::now();
    let posts = post(&destination, pace, options.seconds, &numbers).await?;
    let posted = began.elapsed().as_secs_f64();
    let expected = posts.sent.len() as u64 * u64::from(endpoints);
    receiver.wait_for(expected, ARRIVAL_TIMEOUT).await;
    let after = target.counters().await?;
    let mut outcome = evaluate(name, receiver, posts, endpoints, posted, began);
    add_counters(&mut outcome, before, after, expected / u64::from(endpoints));
    Ok(outcome)
}

/// Closed loops while the server is killed and started again, three times.
async fn crash(options: &Options, receiver: &Arc<Receiver>, report: &mut Report) -> anyhow::Result<()> {
    const KILLS: u32 = 3;
    let mut target = Target::start(options, Vec::new()).await?;
    let app = tenant(&target, receiver, &["/ok/0".to_owned()]).await?;
    let destination = Destination { reconnects: true, ..messages(options, &target, &app) };
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
