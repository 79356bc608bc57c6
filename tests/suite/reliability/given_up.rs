//! Whoever goes away in the middle of a statement takes the connection along that it was on, and no other.

use postrider::domain::id::TaskId;
use sqlx::{Connection, PgConnection};

use crate::support::store::store;
use crate::support::{Database, until};

/// Connections that have asked what a background task found out: all of one pool.
const ASKED: &str = "SELECT pid FROM pg_stat_activity
                     WHERE datname = current_database() AND query LIKE '-- background_task::findings%'";

async fn asked(database: &Database, condition: &str) -> Vec<i32> {
    let query = sqlx::AssertSqlSafe(format!("{ASKED} {condition} ORDER BY pid"));
    sqlx::query_scalar(query).fetch_all(&database.pool).await.unwrap()
}

#[tokio::test]
async fn a_statement_that_is_given_up_leaves_other_connections_in_use() {
    let database = Database::fresh().await;
    let store = store(&database).await;
    let mut other = PgConnection::connect(database.url()).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE background_task_part").execute(&mut other).await.unwrap();
    let ask = || {
        let tasks = store.tasks.clone();
        tokio::spawn(async move { tasks.task_findings(TaskId::generate()).await })
    };
    let (given_up, waited_for) = (ask(), ask());
    let before = until("both wait", || async {
        Some(asked(&database, "AND wait_event_type = 'Lock'").await).filter(|waiting| waiting.len() == 2)
    })
    .await;
    given_up.abort();
    assert!(given_up.await.unwrap_err().is_cancelled());
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    waited_for.await.unwrap().unwrap();
    ask().await.unwrap().unwrap();
    let left = until("the one that was given up is closed", || async {
        Some(asked(&database, "").await).filter(|left| left.len() == 1)
    })
    .await;
    assert!(before.contains(&left[0]), "the other one was used again");
}
