//! Bodies of callers that are known.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::Barrier;

use super::measure::{Health, assert_small};
use crate::support::Setup;

const POSTERS: usize = 2_000;
const PAYLOAD_BYTES: usize = 200 << 10;

/// Each is stored, or told to come back.
#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_posters_are_stored_or_told_to_come_back() {
    // So many clients on a busy machine need longer than the usual 10 s to send their heads.
    let app = Setup::default().with("HEAD_TIMEOUT", "1m").start().await;
    let tenant = app.tenant("loud").await;
    let health = Health::watch(&app);
    let body = json!({"eventType": "large", "payload": {"text": "x".repeat(PAYLOAD_BYTES)}}).to_string();
    let body = bytes::Bytes::from(body);
    let together = Arc::new(Barrier::new(POSTERS));
    let post = |_| {
        let (path, body, together) = (tenant.path("/msg?with_content=false"), body.clone(), together.clone());
        let api = tenant.api.clone();
        async move {
            together.wait().await;
            api.post_bytes(&path, body).await
        }
    };
    let answers = join_all((0..POSTERS).map(post)).await;
    let stored = answers.iter().filter(|answer| answer.status == 202).count();
    for answer in answers.iter().filter(|answer| answer.status != 202) {
        answer.expect_error(503, "overloaded");
        assert!(answer.headers.contains_key("retry-after"));
    }
    eprintln!("{stored} of {POSTERS} were stored");
    assert!(stored >= POSTERS / 20, "only {stored} were stored");
    let found = app.database().count("SELECT count(*) FROM message").await;
    assert_eq!(usize::try_from(found).unwrap(), stored, "what was answered 202 is there");
    health.expect("2,000 posters").await;
    assert_small(&app, "2,000 posters of 200 KiB");
}
