//! More posts than can be written.

use std::time::Duration;

use crate::chaos::chance::Chance;
use crate::chaos::laboratory::Laboratory;
use crate::chaos::posting;

/// Hundreds post as fast as they are answered, on top of what is posted anyway; a node is killed meanwhile.
pub async fn flood(lab: &Laboratory, chance: &mut Chance) {
    let fault = lab.fault_begins_at(1).await;
    let flooding = posting::flood(lab, 300, Duration::from_secs(3));
    let kill = async {
        tokio::time::sleep(chance.millis(500, 2_500)).await;
        let node = chance.below(lab.nodes.len());
        lab.nodes.kill(node).await;
        lab.nodes.launch(node).await;
    };
    futures_util::future::join(flooding, kill).await;
    lab.fault_ends(fault).await;
}
