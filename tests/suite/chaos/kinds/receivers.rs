//! Receivers with every vice, while nodes are killed.

use std::time::Duration;

use crate::chaos::chance::Chance;
use crate::chaos::kinds::process;
use crate::chaos::laboratory::{LabTenant, Laboratory};
use crate::chaos::receiver::{Manner, Reply};

/// Fails the first request of each message.
pub fn fails_once(_number: u32, before: u16) -> Reply {
    Reply::Status(if before == 0 { 500 } else { 200 })
}

/// One manner for each endpoint of a tenant.
const MANNERS: [Manner; 10] = [
    |_, _| Reply::Status(200),
    |number, before| if before == 0 && number % 20 == 0 { Reply::Hang } else { Reply::Status(200) },
    |number, before| if before == 0 && number % 20 == 1 { Reply::Drip } else { Reply::Status(200) },
    |number, before| if before == 0 && number % 20 == 2 { Reply::Flood } else { Reply::Status(200) },
    |number, before| if before == 0 && number % 10 == 3 { Reply::Break } else { Reply::Status(200) },
    |number, before| if before < 2 && number % 3 == 0 { Reply::Status(503) } else { Reply::Status(200) },
    // It is gone, and is disabled for it.
    |number, _| Reply::Status(if number % 50 == 40 { 410 } else { 200 }),
    |_, _| Reply::Slow(Duration::from_millis(150)),
    // It fails for good.
    |number, _| Reply::Status(if number % 10 == 7 { 500 } else { 200 }),
    |number, before| Reply::Status(if before == 0 && number % 4 == 0 { 429 } else { 200 }),
];

/// Every vice, at one tenant, and a kill.
pub async fn have_every_vice(lab: &Laboratory, chance: &mut Chance) {
    for (target, manner) in lab.posted_to()[0].targets().into_iter().zip(MANNERS) {
        lab.receiver.behave(target.place, manner);
    }
    tokio::time::sleep(chance.millis(1_000, 2_000)).await;
    process::kill_one(lab, chance).await;
}

/// A receiver fails everything for a while, at every endpoint.
pub async fn fail_for_a_while(lab: &Laboratory, chance: &mut Chance) {
    let behave = |manner: Manner| {
        for target in lab.posted_to().iter().flat_map(LabTenant::targets) {
            lab.receiver.behave(target.place, manner);
        }
    };
    behave(|_, _| Reply::Status(503));
    tokio::time::sleep(chance.millis(1_000, 3_000)).await;
    behave(|_, _| Reply::Status(200));
    lab.fault_without_duplicates();
    lab.works_again().await;
}
