//! Faults of nodes: killed, stopped, frozen and restarted.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::chaos::chance::Chance;
use crate::chaos::laboratory::Laboratory;

/// Longer than another node waits before it takes a silent one's work over.
const LONGER_THAN_THE_LEASE: Duration = Duration::from_secs(26);

/// SIGKILL for one; it comes back after a moment.
pub async fn kill_one(lab: &Laboratory, chance: &mut Chance) {
    let node = chance.below(lab.nodes.len());
    let fault = lab.fault_begins_at(1).await;
    lab.nodes.kill(node).await;
    tokio::time::sleep(chance.millis(0, 1_500)).await;
    lab.nodes.launch(node).await;
    lab.fault_ends(fault).await;
}

/// SIGKILL for all at once.
pub async fn kill_all(lab: &Laboratory, chance: &mut Chance) {
    let fault = lab.fault_begins().await;
    for node in 0..lab.nodes.len() {
        lab.nodes.kill(node).await;
    }
    tokio::time::sleep(chance.millis(0, 1_000)).await;
    for node in 0..lab.nodes.len() {
        lab.nodes.launch(node).await;
    }
    lab.fault_ends(fault).await;
}

/// SIGKILL again and again, also while it starts.
pub async fn kill_while_it_starts(lab: &Laboratory, chance: &mut Chance) {
    let node = chance.below(lab.nodes.len());
    let fault = lab.fault_begins_at(1).await;
    for _ in 0..4 {
        lab.nodes.kill(node).await;
        lab.nodes.launch(node).await;
        tokio::time::sleep(chance.millis(50, 700)).await;
    }
    lab.fault_ends(fault).await;
}

/// SIGKILL for one that stays away for longer than its lease: the other takes its work over.
pub async fn kill_one_for_long(lab: &Laboratory, chance: &mut Chance) {
    let node = chance.below(lab.nodes.len());
    let fault = lab.fault_begins_at(1).await;
    lab.nodes.kill(node).await;
    tokio::time::sleep(LONGER_THAN_THE_LEASE).await;
    lab.nodes.launch(node).await;
    lab.fault_ends(fault).await;
}

/// SIGSTOP for longer than its lease, so that it wakes up and finds its work taken over.
pub async fn freeze_one(lab: &Laboratory, chance: &mut Chance) {
    let node = chance.below(lab.nodes.len());
    let fault = lab.fault_begins_at(1).await;
    lab.nodes.signal(node, Signal::SIGSTOP).await;
    tokio::time::sleep(LONGER_THAN_THE_LEASE).await;
    lab.nodes.signal(node, Signal::SIGCONT).await;
    lab.fault_ends(fault).await;
}

/// SIGSTOP for all, for less than the lease.
pub async fn freeze_all_for_a_moment(lab: &Laboratory, chance: &mut Chance) {
    freeze_all(lab, chance.millis(1_000, 6_000)).await;
}

/// SIGSTOP for all, for longer than the lease: nobody could take over, and all wake up with a lease that has ended.
pub async fn freeze_all_for_long(lab: &Laboratory, _chance: &mut Chance) {
    freeze_all(lab, LONGER_THAN_THE_LEASE).await;
}

async fn freeze_all(lab: &Laboratory, time: Duration) {
    let fault = lab.fault_begins().await;
    for node in 0..lab.nodes.len() {
        lab.nodes.signal(node, Signal::SIGSTOP).await;
    }
    tokio::time::sleep(time).await;
    for node in 0..lab.nodes.len() {
        lab.nodes.signal(node, Signal::SIGCONT).await;
    }
    lab.fault_ends(fault).await;
}

/// SIGTERM for one, which starts again when it has ended.
pub async fn terminate_one(lab: &Laboratory, chance: &mut Chance) {
    let node = chance.below(lab.nodes.len());
    terminate(lab, node).await;
}

/// SIGTERM for all at once.
pub async fn terminate_all(lab: &Laboratory, _chance: &mut Chance) {
    let stops = (0..lab.nodes.len()).map(|node| lab.nodes.stop(node));
    let stopped = futures_util::future::join_all(stops).await;
    if stopped.contains(&false) {
        lab.violation("a node had not stopped in time after its SIGTERM".to_owned());
    }
    for node in 0..lab.nodes.len() {
        lab.nodes.launch(node).await;
    }
    lab.fault_without_duplicates();
    lab.works_again().await;
}

/// A second process of a node's name, address and database is started again and again. It cannot serve, and must not
/// take the work of the one that does.
pub async fn run_a_twin(lab: &Laboratory, chance: &mut Chance) {
    let node = chance.below(lab.nodes.len());
    let fault = lab.fault_begins_at(1).await;
    lab.nodes.run_twin(node, chance.millis(4_000, 6_000)).await;
    lab.fault_ends(fault).await;
}

/// SIGTERM for one after the other.
pub async fn roll(lab: &Laboratory, chance: &mut Chance) {
    for node in 0..lab.nodes.len() {
        terminate(lab, node).await;
        tokio::time::sleep(chance.millis(0, 300)).await;
    }
}

/// A stop in good order sends nothing twice.
async fn terminate(lab: &Laboratory, node: usize) {
    let began = tokio::time::Instant::now();
    if !lab.nodes.stop(node).await {
        lab.violation(format!(
            "node {node} had not stopped {:.0} s after its SIGTERM",
            began.elapsed().as_secs_f64()
        ));
    }
    lab.nodes.launch(node).await;
    lab.fault_without_duplicates();
    lab.works_again().await;
}
