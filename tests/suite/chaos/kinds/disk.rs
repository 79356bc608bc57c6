//! A full disk: nothing can be written until somebody makes room.

use crate::chaos::chance::Chance;
use crate::chaos::laboratory::Laboratory;

/// Fills the disk, and frees it. The server may end meanwhile; then it is started again, as a supervisor would.
pub async fn fill(lab: &Laboratory, chance: &mut Chance) {
    let fault = lab.fault_begins().await;
    lab.home.disk().fill();
    tokio::time::sleep(chance.millis(2_000, 5_000)).await;
    lab.home.disk().free();
    lab.home.ensure_running().await;
    lab.fault_ends(fault).await;
}
