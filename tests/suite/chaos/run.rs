//! One run of a kind of fault: posts go on, faults come and end, everything settles, and the account is made.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio_util::task::AbortOnDropHandle;

use super::account;
use super::chance::Chance;
use super::invariants;
use super::laboratory::{FAN_OUT, Laboratory, Needs};
use super::posting::{self, Pace};
use super::report::Figures;
use crate::support::proxy::Traffic;

/// What is left is looked at for so long without a change before it is said to be stuck. Longer than a lease of a node.
const STILL: Duration = Duration::from_secs(45);
/// Claims have leases of their own, and a retry its wait: what moves at all ends within this.
const SETTLE_LIMIT: Duration = Duration::from_secs(300);

/// One fault, from its beginning until everything works again.
pub type Round = for<'a> fn(&'a Laboratory, &'a mut Chance) -> BoxFuture<'a, ()>;

/// A kind of fault.
pub struct Kind {
    pub name: &'static str,
    pub needs: Needs,
    pub round: Round,
    /// Whether it is repeated while posts go on; one that changes what is there for good is not.
    pub repeats: bool,
}

/// How large a run is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub pairs: usize,
    pub posting: Duration,
    pub at_once: usize,
}

/// Runs a kind. `Err` says why this machine does not allow it.
pub async fn run(kind: &'static Kind, size: Size, seed: u64) -> Result<Figures, String> {
    let began = Instant::now();
    let mut chance = Chance::of(seed, kind.name);
    let laboratory = Arc::new(Laboratory::start(&kind.needs, chance.next()).await?);
    let messages = size.pairs.div_ceil(FAN_OUT);
    let pace = Pace { messages, time: size.posting, at_once: size.at_once };
    let posting = AbortOnDropHandle::new(tokio::spawn(posting::post_all(laboratory.clone(), pace)));
    loop {
        tokio::time::sleep(chance.millis(200, 1_200)).await;
        (kind.round)(&laboratory, &mut chance).await;
        // Where a node does not recover, it would not from the next fault either.
        let is_wedged = laboratory.faults.lock().unwrap().recoveries.contains(&None);
        if !kind.repeats || is_wedged || laboratory.ledger.len() >= messages {
            break;
        }
    }
    calm(&laboratory).await;
    laboratory.faults_go_on.store(false, Ordering::Release);
    posting.await.expect("the posters end");
    settle(&laboratory).await;

    let mut figures = Figures { kind: kind.name, seed, ..Figures::default() };
    account::account(&laboratory, &mut figures).await;
    figures.violations.extend(invariants::violations(&laboratory.home.pool).await);
    figures.node_restarts = laboratory.nodes.restarts();
    {
        let mut log = laboratory.faults.lock().unwrap();
        figures.faults = log.faults;
        figures.allowed = log.allowed;
        figures.recoveries = std::mem::take(&mut log.recoveries);
        figures.violations.append(&mut log.violations);
        figures.notes = std::mem::take(&mut log.notes);
    }
    figures.seconds = began.elapsed().as_secs_f64();
    if figures.is_broken() {
        eprintln!("{}", laboratory.nodes.logs(30).await);
    }
    Ok(figures)
}

/// Ends whatever a fault may have left.
async fn calm(laboratory: &Laboratory) {
    if let Some(proxy) = &laboratory.home.proxy {
        proxy.no_more_tricks();
        proxy.delay(Duration::ZERO);
        proxy.traffic(Traffic::Flows);
        // Some may be silent for ever; whether the nodes get over that was seen before.
        proxy.cut_all();
    }
    laboratory.home.ensure_running().await;
    for node in 0..laboratory.nodes.len() {
        laboratory.nodes.launch(node).await;
    }
}

/// Returns when nothing is in flight, and nothing waits for an endpoint that is open; or when nothing has moved for
/// long.
async fn settle(laboratory: &Laboratory) {
    let began = Instant::now();
    let (mut last, mut still_since) = (None, Instant::now());
    loop {
        let left = "SELECT count(*) FROM delivery d
                    LEFT JOIN endpoint e ON e.id = d.endpoint_id
                    LEFT JOIN application a ON a.id = e.application_id
                    WHERE d.state = 'in_flight' OR d.state IN ('waiting', 'held')
                        AND e.disabled_at IS NULL AND e.paused_at IS NULL AND e.deleted_at IS NULL
                        AND a.paused_at IS NULL AND a.deleted_at IS NULL
                        AND NOT EXISTS (SELECT FROM dispatching WHERE singleton AND paused_at IS NOT NULL)";
        let left = laboratory.home.try_count(left).await;
        if left == Some(0) {
            return;
        }
        // What has a lease or a wait before it moves later, and is not still.
        let moves_later = "SELECT count(*) FROM pending p JOIN delivery d USING (message_id, endpoint_id)
                           WHERE d.state IN ('waiting', 'held') AND p.due_at > now() AND p.due_at < now() + interval '120 s'";
        let moves_later = laboratory.home.try_count(moves_later).await.unwrap_or_default();
        let now = (left, laboratory.receiver.requests());
        if last != Some(now) || moves_later > 0 {
            last = Some(now);
            still_since = Instant::now();
        }
        if still_since.elapsed() > STILL || began.elapsed() > SETTLE_LIMIT {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
