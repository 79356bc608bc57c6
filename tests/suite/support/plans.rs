//! What Postgres plans for the statements of `.sqlx/`, under the settings of the queue's own connections, whose generic
//! plan is what production runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection, Row};

/// As `store/connect.rs` sets them.
pub const SETTINGS: &str = "
    SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
    SET jit = off; SET plan_cache_mode = force_generic_plan";

/// The statements of `.sqlx/`: by name, the text and how many parameters it has.
pub fn statements() -> BTreeMap<String, (String, usize)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let files = fs::read_dir(folder).unwrap().map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    files
        .map(|text| {
            let file: Value = serde_json::from_str(&text).unwrap();
            let query = file["query"].as_str().unwrap().to_owned();
            let name = query.trim_start_matches("-- ").split_whitespace().next().unwrap().to_owned();
            let parameters = file["describe"]["parameters"]["Left"].as_array().unwrap().len();
            (name, (query, parameters))
        })
        .collect()
}

/// Every node of a plan.
pub fn nodes<'a>(plan: &'a Value, found: &mut Vec<&'a Value>) {
    found.push(plan);
    plan["Plans"].as_array().into_iter().flatten().for_each(|below| nodes(below, found));
}

/// The plan for any arguments.
pub async fn generic_plan(connection: &mut PgConnection, query: &str, parameters: usize) -> Value {
    let nulls = vec!["NULL"; parameters].join(", ");
    let execute = if parameters == 0 { "p".to_owned() } else { format!("p({nulls})") };
    sqlx::raw_sql(AssertSqlSafe(format!("PREPARE p AS {query}"))).execute(&mut *connection).await.unwrap();
    let explained = sqlx::raw_sql(AssertSqlSafe(format!("EXPLAIN (FORMAT JSON) EXECUTE {execute}")))
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    let plan: Value = explained.get(0);
    sqlx::raw_sql("DEALLOCATE p").execute(&mut *connection).await.unwrap();
    plan[0]["Plan"].clone()
}
