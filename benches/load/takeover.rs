//! Two nodes on one database; one is killed under load and does not come back.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use crate::Options;
use crate::api::tenant;
use crate::evaluate::evaluate;
use crate::post::{Destination, Pace, messages, post};
use crate::receiver::Receiver;
use crate::report::Report;
use crate::target::Target;

/// Longer than a dead node's lease and the heartbeats around it.
const TAKEOVER_TIME: Duration = Duration::from_secs(30);

/// Posts to both nodes and kills the second in the middle.
pub async fn run(options: &Options, receiver: &Arc<Receiver>, report: &mut Report) -> anyhow::Result<()> {
    let secret = |name| (name, "shared by the nodes of the benchmark".to_owned());
    let settings = vec![secret("POSTRIDER_MAIN_SECRET"), secret("POSTRIDER_JWT_SECRET")];
    let target = Target::start(options, settings).await?;
    let mut other = target.another().await?;
    let app = tenant(&target, receiver, &["/ok/0".to_owned()]).await?;
    let here = messages(options, &target, &app);
    let there = Destination { base: other.base.clone(), reconnects: true, ..here.clone() };
    receiver.reset();
    let began = Instant::now();
    let numbers = Arc::new(AtomicU64::new(0));
    let [here, there] = [here, there].map(|destination| {
        let (numbers, seconds) = (numbers.clone(), options.seconds);
        let pace = Pace::Closed(options.connections / 2);
        tokio::spawn(async move { post(&destination, pace, seconds, &numbers).await })
    });
    tokio::time::sleep(Duration::from_secs(options.seconds) / 2).await;
    other.kill()?;
    let killed = began.elapsed();
    let mut all = here.await??;
    let of_the_dead = there.await??;
    let accepted_by_the_dead = of_the_dead.sent.len();
    all.sent.extend(of_the_dead.sent);
    all.accept.extend(of_the_dead.accept);
    let posted = began.elapsed().as_secs_f64();
    receiver.wait_for(u64::MAX, TAKEOVER_TIME).await;
    let last = receiver.last_arrival().unwrap_or(began).saturating_duration_since(began);
    let mut outcome = evaluate("takeover", receiver, all, 1, posted, began);
    outcome.note = format!(
        "two nodes; one killed (SIGKILL) after {:.1} s, having accepted {accepted_by_the_dead}; the last delivery that \
         it owned came {:.1} s later",
        killed.as_secs_f64(),
        last.saturating_sub(killed).as_secs_f64(),
    );
    report.add(outcome)?;
    target.stop()
}
