//! Faults between a node and its database.

use std::time::Duration;

use crate::chaos::chance::Chance;
use crate::chaos::laboratory::Laboratory;
use crate::support::proxy::{Traffic, Trick};

/// What matters most to lose: what stores, what records, what claims, and the heartbeat.
const STATEMENTS: [&str; 4] = ["ingest::insert_messages", "outcome::", "pending::claim_due", "node::beat"];
/// A trick that found no statement within this is given up.
const TRICK_LIMIT: Duration = Duration::from_secs(5);

/// The answer of a commit is lost.
pub async fn lose_answers_of_ingest(lab: &Laboratory, chance: &mut Chance) {
    let times = chance.below(4) + 1;
    trick(lab, "ingest::insert_messages", times, Trick::LoseAnswer).await;
}

/// The answer of a commit is lost, and the question about it fails as well.
pub async fn lose_answers_and_questions(lab: &Laboratory, _chance: &mut Chance) {
    let tricks = [
        ("ingest::written_messages", 1, Trick::CutBefore),
        ("ingest::insert_messages", 1, Trick::LoseAnswer),
    ];
    play(lab, &tricks).await;
}

pub async fn lose_answers_of_outcomes(lab: &Laboratory, chance: &mut Chance) {
    let times = chance.below(4) + 1;
    trick(lab, "outcome::", times, Trick::LoseAnswer).await;
}

/// A claim's answer is lost: its rows are leased, and nobody has them.
pub async fn lose_answers_of_claims(lab: &Laboratory, _chance: &mut Chance) {
    // Only what failed is claimed.
    for target in lab.posted_to()[0].targets() {
        lab.receiver.behave(target.place, crate::chaos::kinds::receivers::fails_once);
    }
    trick(lab, "pending::claim_due", 2, Trick::LoseAnswer).await;
}

/// Heartbeats, hand-overs and takeovers lose their answers.
pub async fn lose_answers_of_heartbeats(lab: &Laboratory, _chance: &mut Chance) {
    trick(lab, "node::beat", 2, Trick::LoseAnswer).await;
}

/// Connections are cut before, and while, a statement is executed, or it is late.
pub async fn cut_at_statements(lab: &Laboratory, chance: &mut Chance) {
    let statement = *chance.pick(&STATEMENTS[..3]);
    let tricks = [Trick::CutBefore, Trick::CutDuring, Trick::Delay(Duration::from_secs(2))];
    let trick_of = *chance.pick(&tricks);
    trick(lab, statement, chance.below(3) + 1, trick_of).await;
}

/// The connection is cut while the statement that stores waits for a foreign lock: whoever asks what is stored meanwhile is
/// truthfully told that nothing is, and then it is.
pub async fn cut_while_it_runs(lab: &Laboratory, chance: &mut Chance) {
    let fault = lab.fault_begins().await;
    lab.home.proxy().trick("ingest::insert_messages", 1, Trick::CutDuring);
    let mut tx = lab.home.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE delivery IN SHARE ROW EXCLUSIVE MODE").execute(&mut *tx).await.unwrap();
    tokio::time::sleep(chance.millis(300, 1_200)).await;
    tx.rollback().await.unwrap();
    lab.fault_ends(fault).await;
}

/// All connections are cut, several times.
pub async fn cut_all(lab: &Laboratory, chance: &mut Chance) {
    let fault = lab.fault_begins().await;
    for _ in 0..chance.below(4) + 1 {
        lab.home.proxy().cut_all();
        tokio::time::sleep(chance.millis(10, 300)).await;
    }
    lab.fault_ends(fault).await;
}

/// Connections are refused for some seconds.
pub async fn refuse(lab: &Laboratory, chance: &mut Chance) {
    traffic(lab, Traffic::Refused, chance.millis(2_000, 5_000)).await;
}

/// Everything takes long.
pub async fn delay(lab: &Laboratory, chance: &mut Chance) {
    let fault = lab.fault_begins().await;
    lab.home.proxy().delay(chance.millis(100, 500));
    tokio::time::sleep(chance.millis(2_000, 4_000)).await;
    lab.home.proxy().delay(Duration::ZERO);
    lab.fault_ends(fault).await;
}

/// Connections are open and silent, and what was sent arrives later.
pub async fn hold(lab: &Laboratory, chance: &mut Chance) {
    traffic(lab, Traffic::Held, chance.millis(2_000, 6_000)).await;
}

/// Connections are open and silent, and what was sent is lost; then they are closed.
pub async fn blackhole(lab: &Laboratory, chance: &mut Chance) {
    silent_then_closed(lab, Traffic::Dropped, chance.millis(4_000, 9_000)).await;
}

/// The same for longer than the lease of a node.
pub async fn blackhole_for_long(lab: &Laboratory, _chance: &mut Chance) {
    silent_then_closed(lab, Traffic::Dropped, Duration::from_secs(26)).await;
}

/// The server hears the nodes; they hear nothing; then the connections are closed.
pub async fn half_open(lab: &Laboratory, chance: &mut Chance) {
    silent_then_closed(lab, Traffic::AnswersDropped, chance.millis(3_000, 6_000)).await;
}

/// The network is back, and all connections of before stay silent for ever, as behind a firewall that forgot them.
pub async fn forget_connections(lab: &Laboratory, chance: &mut Chance) {
    traffic(lab, Traffic::Dropped, chance.millis(2_000, 4_000)).await;
}

async fn silent_then_closed(lab: &Laboratory, traffic: Traffic, time: Duration) {
    let fault = lab.fault_begins().await;
    lab.home.proxy().traffic(traffic);
    tokio::time::sleep(time).await;
    lab.home.proxy().traffic(Traffic::Flows);
    lab.home.proxy().cut_all();
    lab.fault_ends(fault).await;
}

/// Single connections fall silent for ever, while all others work.
pub async fn silence_single_connections(lab: &Laboratory, chance: &mut Chance) {
    let statement = *chance.pick(&STATEMENTS);
    trick(lab, statement, 1, Trick::Silence).await;
}

async fn traffic(lab: &Laboratory, traffic: Traffic, time: Duration) {
    let fault = lab.fault_begins().await;
    lab.home.proxy().traffic(traffic);
    tokio::time::sleep(time).await;
    lab.home.proxy().traffic(Traffic::Flows);
    lab.fault_ends(fault).await;
}

async fn trick(lab: &Laboratory, statement: &str, times: usize, trick: Trick) {
    play(lab, &[(statement, times, trick)]).await;
}

/// Plays tricks, and waits until all were played.
async fn play(lab: &Laboratory, tricks: &[(&str, usize, Trick)]) {
    let fault = lab.fault_begins().await;
    let proxy = lab.home.proxy();
    let mut all_played = proxy.tricked();
    for (statement, times, trick) in tricks {
        proxy.trick(statement, *times, *trick);
        all_played += times;
    }
    let asked = tokio::time::Instant::now();
    while proxy.tricked() < all_played && asked.elapsed() < TRICK_LIMIT {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    proxy.no_more_tricks();
    lab.fault_ends(fault).await;
}
