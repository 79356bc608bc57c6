//! Foreign transactions: locks that stop the queue, and a snapshot that keeps what is dead.

use sqlx::AssertSqlSafe;

use crate::chaos::chance::Chance;
use crate::chaos::laboratory::Laboratory;

const TABLES: [&str; 6] = ["node", "pending", "delivery", "message", "attempt", "application"];

/// Somebody locks a table for seconds.
pub async fn lock_tables(lab: &Laboratory, chance: &mut Chance) {
    let fault = lab.fault_begins().await;
    let table = *chance.pick(&TABLES);
    let mut tx = lab.home.pool.begin().await.unwrap();
    let lock = format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
    sqlx::query(AssertSqlSafe(lock)).execute(&mut *tx).await.unwrap();
    tokio::time::sleep(chance.millis(1_000, 4_000)).await;
    tx.rollback().await.unwrap();
    lab.fault_ends(fault).await;
}

/// Somebody keeps an old snapshot, while much comes and goes.
pub async fn hold_a_snapshot(lab: &Laboratory, chance: &mut Chance) {
    for target in lab.posted_to()[0].targets() {
        lab.receiver.behave(target.place, crate::chaos::kinds::receivers::fails_once);
    }
    let fault = lab.fault_begins().await;
    let mut tx = lab.home.pool.begin().await.unwrap();
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").execute(&mut *tx).await.unwrap();
    sqlx::query("SELECT count(*) FROM pending").execute(&mut *tx).await.unwrap();
    tokio::time::sleep(chance.millis(3_000, 6_000)).await;
    tx.rollback().await.unwrap();
    lab.fault_ends(fault).await;
}
