//! What becomes of data: how long it is kept, how it is erased, how much there is, and how it is taken along.

mod erasure;
mod export;
mod retention;
mod usage;

use serde_json::Value;

use crate::support::{Api, until};

/// The background task, when it has ended.
async fn ended(api: &Api, task: &Value) -> Value {
    let path = format!("/background-task/{}", task["id"].as_str().unwrap());
    until("the background task ends", || async {
        let task = api.get(&path).await.expect(200);
        (task["status"] != "running").then_some(task)
    })
    .await
}
