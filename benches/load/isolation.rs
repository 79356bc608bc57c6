//! Tenants with healthy endpoints, alone and beside others that are not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Options;
use crate::api::tenant;
use crate::evaluate::add_spent;
use crate::measure::Durations;
use crate::post::{Destination, Pace, Posts, messages, post};
use crate::receiver::Receiver;
use crate::report::{Outcome, Report};
use crate::target::{Counters, Target};

/// Times that both are measured, in turns: the machine's own moods fall on both alike.
const ROUNDS: u32 = 3;

/// What others do, beside whom the healthy ones are measured: paths of the receiver, and messages a second to each.
type Others = [(&'static str, u64); 11];
const HOSTILE: Others = others(["/hang/", "/fail/", "/slow/"]);
const GOOD: Others = others(["/ok/"; 3]);

/// Five and five of a kind, and one that shouts: it alone posts twice as much as the ten healthy ones together.
const fn others([one, another, shouting]: [&'static str; 3]) -> Others {
    let mut others = [(one, 20); 11];
    let mut n = 5;
    while n < 10 {
        others[n] = (another, 20);
        n += 1;
    }
    others[10] = (shouting, 20 * 30);
    others
}

/// Healthy tenants alone; then beside others that are as healthy, which shows what the load alone does; then beside
/// endpoints that hang, endpoints that fail and a slow one whose tenant shouts.
pub async fn run(options: &Options, receiver: &Arc<Receiver>, report: &mut Report) -> anyhow::Result<()> {
    let (mut alone, mut beside_good, mut beside_hostile) =
        (Healthy::default(), Healthy::default(), Healthy::default());
    for _ in 0..ROUNDS {
        for (beside, others) in [(&mut beside_good, GOOD), (&mut beside_hostile, HOSTILE)] {
            // A database of its own for each, so that both are of the same age.
            let settings = vec![("POSTRIDER_REQUEST_TIMEOUT", "5s".to_owned())];
            let target = Target::start(options, settings).await?;
            let tenants = ten_healthy(options, &target, receiver).await?;
            // Warm up: connections, caches, plans.
            healthy_tenants(2, &target, receiver, &tenants).await?;
            alone.add(healthy_tenants(options.seconds, &target, receiver, &tenants).await?);
            let mut noise = make_noise(options, &target, receiver, others).await?;
            tokio::time::sleep(Duration::from_secs(2)).await;
            beside.add(healthy_tenants(options.seconds, &target, receiver, &tenants).await?);
            while let Some(posts) = noise.join_next().await {
                posts??;
            }
            target.stop()?;
        }
    }
    let alone = alone.outcome("isolation: alone");
    let mut beside_good = beside_good.outcome("isolation: beside good ones");
    let mut beside_hostile = beside_hostile.outcome("isolation: beside hostile ones");
    let p99 = |outcome: &Outcome| outcome.end_to_end.p99_ms;
    beside_good.note = format!("p99 {:.2} × that alone", p99(&beside_good) / p99(&alone));
    beside_hostile.note = format!(
        "p99 {:.2} × that alone, {:.2} × that beside good ones; {ROUNDS} rounds",
        p99(&beside_hostile) / p99(&alone),
        p99(&beside_hostile) / p99(&beside_good)
    );
    report.add(alone)?;
    report.add(beside_good)?;
    report.add(beside_hostile)
}

/// Others who post for longer than the healthy ones are measured.
async fn make_noise(
    options: &Options,
    target: &Target,
    receiver: &Receiver,
    others: Others,
) -> anyhow::Result<JoinSet<anyhow::Result<Posts>>> {
    let mut destinations = Vec::new();
    for (number, (path, rate)) in (100..).zip(others) {
        let app = tenant(target, receiver, &[format!("{path}{number}")]).await?;
        destinations.push((messages(options, target, &app), rate));
    }
    let mut noise = JoinSet::new();
    for (destination, rate) in destinations {
        let seconds = options.seconds + 3;
        noise.spawn(async move {
            // Beyond every number that the healthy ones use.
            let numbers = Arc::new(AtomicU64::new(1 << 40));
            post(&destination, Pace::Steady(rate), seconds, &numbers).await
        });
    }
    Ok(noise)
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

/// What healthy tenants have seen.
#[derive(Default)]
pub struct Healthy {
    accept: Durations,
    end_to_end: Durations,
    messages: u64,
    missing: u64,
    duplicates: u64,
    bad_signatures: u64,
    seconds: f64,
    spent: Option<Counters>,
}

impl Healthy {
    fn add(&mut self, more: Self) {
        self.accept.extend(more.accept);
        self.end_to_end.extend(more.end_to_end);
        self.messages += more.messages;
        self.missing += more.missing;
        self.duplicates += more.duplicates;
        self.bad_signatures += more.bad_signatures;
        self.seconds += more.seconds;
        self.spent = match (self.spent, more.spent) {
            (Some(spent), Some(more)) => Some(spent.and(more)),
            (spent, more) => spent.or(more),
        };
    }

    /// As a case of that name.
    pub fn outcome(mut self, name: &str) -> Outcome {
        let mut outcome = Outcome {
            case: name.to_owned(),
            accepted_per_second: self.messages as f64 / self.seconds,
            delivered_per_second: (self.messages - self.missing) as f64 / self.seconds,
            accept: self.accept.summary(),
            end_to_end: self.end_to_end.summary(),
            missing: self.missing,
            duplicates: self.duplicates,
            bad_signatures: self.bad_signatures,
            ..Outcome::default()
        };
        if let Some(spent) = self.spent {
            add_spent(&mut outcome, spent, self.messages);
        }
        outcome
    }
}

/// What tenants with a healthy endpoint each see for so many seconds, at a steady thirty messages a second each.
pub async fn healthy_tenants(
    seconds: u64,
    target: &Target,
    receiver: &Arc<Receiver>,
    tenants: &[Destination],
) -> anyhow::Result<Healthy> {
    receiver.reset();
    let before = target.counters().await?;
    let began = Instant::now();
    let numbers = Arc::new(AtomicU64::new(0));
    let mut loops = JoinSet::new();
    for (tenant, destination) in tenants.iter().enumerate() {
        let (destination, numbers) = (destination.clone(), numbers.clone());
        loops.spawn(async move {
            let posts = post(&destination, Pace::Steady(30), seconds, &numbers).await?;
            anyhow::Ok((tenant, posts))
        });
    }
    let mut all = Vec::new();
    while let Some(done) = loops.join_next().await {
        all.push(done??);
    }
    let seconds = began.elapsed().as_secs_f64();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let bad_signatures = receiver.bad_signatures.load(Ordering::Relaxed);
    let arrivals = receiver.take();
    let mut seen = Healthy { seconds, bad_signatures, ..Healthy::default() };
    for (tenant, posts) in all {
        seen.accept.extend(posts.accept);
        for (number, sent) in posts.sent {
            seen.messages += 1;
            match arrivals.seen.get(&(number, u32::try_from(tenant)?)) {
                Some((at, times)) => {
                    seen.end_to_end.push(at.saturating_duration_since(sent));
                    seen.duplicates += u64::from(times - 1);
                }
                None => seen.missing += 1,
            }
        }
    }
    seen.spent = match (before, target.counters().await?) {
        (Some(before), Some(after)) => Some(after.since(before)),
        _ => None,
    };
    Ok(seen)
}
