//! More posts than can be written.

use std::time::Duration;

use crate::chaos::chance::Chance;
use crate::chaos::laboratory::Laboratory;
use crate::chaos::posting;

/// Together they post more than both nodes queue.
const POSTERS: usize = 160;
/// A node queues 64 MiB of what is to be written, and refuses the rest.
const KILOBYTES: u32 = 900;

/// Many post large messages as fast as they are answered, on top of what is posted anyway; a node is killed meanwhile.
pub async fn flood(lab: &Laboratory, chance: &mut Chance) {
    let fault = lab.fault_begins_at(1).await;
    let flooding = posting::flood(lab, POSTERS, KILOBYTES, Duration::from_secs(1));
    let kill = async {
        tokio::time::sleep(chance.millis(300, 1_500)).await;
        let node = chance.below(lab.nodes.len());
        lab.nodes.kill(node).await;
        lab.nodes.launch(node).await;
    };
    futures_util::future::join(flooding, kill).await;
    lab.fault_ends(fault).await;
}
