//! Steps of a node's clock.

use crate::chaos::chance::Chance;
use crate::chaos::laboratory::Laboratory;

const HOUR: i64 = 3_600;

/// A node's clock steps an hour ahead or back, and later to the true time again.
pub async fn step(lab: &Laboratory, chance: &mut Chance) {
    let node = chance.below(lab.nodes.len());
    let fault = lab.fault_begins_at(1).await;
    lab.set_clock(node, *chance.pick(&[-HOUR, HOUR]));
    tokio::time::sleep(chance.millis(2_500, 4_000)).await;
    if chance.below(2) == 0 {
        lab.nodes.kill(node).await;
        lab.nodes.launch(node).await;
    }
    tokio::time::sleep(chance.millis(500, 1_500)).await;
    lab.set_clock(node, 0);
    lab.fault_ends(fault).await;
}
