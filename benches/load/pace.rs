//! A receiver that takes five requests a second and refuses the others, with one node and with two: what a backlog costs.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::Options;
use crate::api::tenant;
use crate::client::Connection;
use crate::post::{Destination, messages};
use crate::receiver::Receiver;
use crate::target::Target;

const MESSAGES: u64 = 300;
/// Nothing that is left to be delivered waits for longer.
const QUIET: Duration = Duration::from_secs(30);

/// Posts the same backlog to one node and to two, and prints a table.
pub async fn run(options: &Options, receiver: &Arc<Receiver>) -> anyhow::Result<()> {
    println!(
        "\n| nodes | messages | delivered | dead | requests | requests a message | refused | seconds |\n\
         |--:|--:|--:|--:|--:|--:|--:|--:|"
    );
    for nodes in 1..=2 {
        row(options, receiver, nodes).await?;
    }
    println!();
    Ok(())
}

async fn row(options: &Options, receiver: &Arc<Receiver>, nodes: usize) -> anyhow::Result<()> {
    let settings = vec![
        ("POSTRIDER_MAIN_SECRET", "shared by the nodes of the benchmark".to_owned()),
        ("POSTRIDER_JWT_SECRET", "shared by the nodes of the benchmark".to_owned()),
        ("POSTRIDER_RETRY_SCHEDULE", "1s,2s,3s,4s,5s,6s".to_owned()),
    ];
    let target = Target::start(options, settings).await?;
    let other = if nodes > 1 { Some(target.another().await?) } else { None };
    let app = tenant(&target, receiver, &["/five/0".to_owned()]).await?;
    let here = messages(options, &target, &app);
    let mut bases = vec![here.base.clone()];
    bases.extend(other.as_ref().map(|node| node.base.clone()));
    receiver.reset();
    let began = Instant::now();
    let share = MESSAGES / nodes as u64;
    for (first, base) in (0..).step_by(share as usize).zip(bases) {
        let destination = Destination { base, ..here.clone() };
        let mut connection = Connection::open(&destination.base).await?;
        for number in first..first + share {
            connection.post(&destination.path, &destination.headers, destination.body(number)).await?;
        }
    }
    receiver.wait_for(MESSAGES, QUIET).await;
    let seconds = began.elapsed().as_secs_f64();
    let delivered = receiver.delivered.load(Ordering::Relaxed);
    let refused = receiver.too_fast.load(Ordering::Relaxed);
    let mut database = target.database().await?.context("the case needs a server of our own")?;
    let dead: i64 = sqlx::query_scalar("SELECT count(*) FROM dead_letter").fetch_one(&mut database).await?;
    println!(
        "| {nodes} | {MESSAGES} | {delivered} | {dead} | {} | {:.2} | {refused} | {seconds:.0} |",
        delivered + refused,
        (delivered + refused) as f64 / MESSAGES as f64,
    );
    drop(other);
    target.stop()
}
