//! Tenants with healthy endpoints, alone and beside others that are not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Options;
use crate::api::tenant;
use crate::evaluate::{Tally, add_spent};
use crate::post::{Destination, Pace, Posts, messages, post};
use crate::receiver::Receiver;
use crate::report::{Outcome, Report};
use crate::target::{Counters, Target};

/// How often both are measured, in turns, so that changes of the machine's speed affect both alike.
const ROUNDS: u32 = 3;

/// Where others post, beside whom the healthy ones are measured: five, five and one of the receiver's paths.
type Others = [&'static str; 3];
const HOSTILE: Others = ["/hang/", "/fail/", "/slow/"];
const GOOD: Others = ["/ok/"; 3];

/// Healthy tenants alone; then beside others that are as healthy, which shows what the load alone does; then beside
/// endpoints that hang, endpoints that fail and a slow one whose tenant posts much.
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

/// Others who post for longer than the healthy ones are measured. The last of them is loud: it alone posts twice as much
/// as the ten healthy ones together.
async fn make_noise(
    options: &Options,
    target: &Target,
    receiver: &Receiver,
    [one, another, loud]: Others,
) -> anyhow::Result<JoinSet<anyhow::Result<Posts>>> {
    let quiet = [one; 5].into_iter().chain([another; 5]).map(|path| (path, 20));
    let mut destinations = Vec::new();
    for (number, (path, rate)) in (100..).zip(quiet.chain([(loud, 20 * 30)])) {
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

/// What healthy tenants have seen, in how long, and what that took.
#[derive(Default)]
pub struct Healthy {
    tally: Tally,
    seconds: f64,
    spent: Option<Counters>,
}

impl Healthy {
    fn add(&mut self, more: Self) {
        self.tally.add(more.tally);
        self.seconds += more.seconds;
        self.spent = match (self.spent, more.spent) {
            (Some(spent), Some(more)) => Some(spent.and(more)),
            (spent, more) => spent.or(more),
        };
    }

    /// As a case of that name.
    pub fn outcome(self, name: &str) -> Outcome {
        let messages = self.tally.messages;
        let mut outcome = self.tally.outcome(name, self.seconds, self.seconds);
        if let Some(spent) = self.spent {
            add_spent(&mut outcome, spent, messages);
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
    for (endpoint, destination) in (0..).zip(tenants) {
        let (destination, numbers) = (destination.clone(), numbers.clone());
        loops.spawn(async move {
            let posts = post(&destination, Pace::Steady(30), seconds, &numbers).await?;
            anyhow::Ok((endpoint, posts))
        });
    }
    let mut all = Vec::new();
    while let Some(done) = loops.join_next().await {
        all.push(done??);
    }
    let seconds = began.elapsed().as_secs_f64();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut tally =
        Tally { bad_signatures: receiver.bad_signatures.load(Ordering::Relaxed), ..Tally::default() };
    let arrivals = receiver.take();
    for (endpoint, posts) in all {
        tally.count(posts, endpoint..endpoint + 1, &arrivals);
    }
    let spent = before.zip(target.counters().await?).map(|(before, after)| after.since(before));
    Ok(Healthy { tally, seconds, spent })
}
