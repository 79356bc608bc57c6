//! Faults of the database server: killed, stopped, and its connections ended.

use std::time::Duration;

use crate::chaos::chance::Chance;
use crate::chaos::laboratory::Laboratory;
use crate::support::cluster::StopMode;

/// SIGKILL for the postmaster.
pub async fn kill_postmaster(lab: &Laboratory, chance: &mut Chance) {
    let fault = lab.fault_begins().await;
    {
        let mut cluster = lab.home.cluster().await;
        cluster.kill();
        tokio::time::sleep(chance.millis(0, 2_000)).await;
        cluster.restart().await;
    }
    lab.fault_ends(fault).await;
}

/// An immediate stop: the next start recovers.
pub async fn stop_immediately(lab: &Laboratory, chance: &mut Chance) {
    stop_for(lab, StopMode::Immediate, chance.millis(0, 2_000)).await;
}

/// Stopped in good order, for some seconds.
pub async fn stop_for_seconds(lab: &Laboratory, chance: &mut Chance) {
    stop_for(lab, StopMode::Fast, chance.millis(2_000, 6_000)).await;
}

/// Away for about as long as a node's lease.
pub async fn stop_around_the_lease(lab: &Laboratory, chance: &mut Chance) {
    stop_for(lab, StopMode::Fast, chance.millis(15_000, 21_000)).await;
}

async fn stop_for(lab: &Laboratory, mode: StopMode, time: Duration) {
    let fault = lab.fault_begins().await;
    {
        let mut cluster = lab.home.cluster().await;
        cluster.stop(mode).await;
        tokio::time::sleep(time).await;
        cluster.restart().await;
    }
    lab.fault_ends(fault).await;
}

/// A node is told to stop while the database is away: it has to end, and what it held has to go out later.
pub async fn terminate_while_it_is_away(lab: &Laboratory, chance: &mut Chance) {
    let fault = lab.fault_begins().await;
    let node = chance.below(lab.nodes.len());
    lab.home.cluster().await.stop(StopMode::Immediate).await;
    if !lab.nodes.stop(node).await {
        lab.violation("a node that was told to stop while the database was away never ended".to_owned());
    }
    lab.home.cluster().await.restart().await;
    lab.nodes.launch(node).await;
    lab.fault_ends(fault).await;
}

/// Ends some of the nodes' connections, for a while, at random.
pub async fn end_backends(lab: &Laboratory, chance: &mut Chance) {
    let fault = lab.fault_begins().await;
    for _ in 0..10 {
        end_some(lab, chance.below(4) + 1).await;
        tokio::time::sleep(chance.millis(20, 250)).await;
    }
    lab.fault_ends(fault).await;
}

async fn end_some(lab: &Laboratory, backends: usize) {
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM (
            SELECT pid FROM pg_stat_activity WHERE application_name = 'postrider' AND datname = current_database()
            ORDER BY (state = 'active') DESC, random() LIMIT $1) chosen",
    )
    .bind(i64::try_from(backends).unwrap())
    .execute(&lab.home.pool)
    .await
    .unwrap();
}

/// Logins are refused for some seconds, and connections that were open are ended.
pub async fn refuse_logins(lab: &Laboratory, chance: &mut Chance) {
    let fault = lab.fault_begins().await;
    lab.home.cluster().await.admit_nodes(false);
    let refused_for = chance.millis(3_000, 6_000);
    let until = tokio::time::Instant::now() + refused_for;
    while tokio::time::Instant::now() < until {
        end_some(lab, 100).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    lab.home.cluster().await.admit_nodes(true);
    lab.fault_ends(fault).await;
}
