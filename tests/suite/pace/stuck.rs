//! Endpoints that never answer hold up nobody: neither the other endpoints of their tenant, nor those who post to it.

use serde_json::json;

use crate::support::posting::{deliveries, post_all};
use crate::support::server::free_address;
use crate::support::{Receiver, Setup, until};
use crate::telemetry::scrape::Scrape;

const SILENT: usize = 5;
/// More than the requests that one application may have under way.
const MANY_SILENT: usize = 24;
/// They fill the queues of the silent endpoints.
const BEFORE: usize = 200;
const AFTER: usize = 600;

/// A server that accepts connections and says nothing. It keeps all of them.
async fn silent() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            kept.push(connection);
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_that_never_answer_hold_up_neither_posts_nor_their_neighbour() {
    let metrics = free_address().to_string();
    let setup = Setup::default().with("REQUEST_TIMEOUT", "1s").with("RETRY_SCHEDULE", "1h");
    let mut app = setup.with("METRICS_LISTEN", &metrics).start().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let (healthy, url) = (receiver.hook("/healthy"), silent().await);
    tenant.endpoint(&healthy, json!({})).await;
    for number in 0..SILENT {
        let mut hook = healthy.clone();
        hook.url = format!("{url}/{number}");
        tenant.endpoint(&hook, json!({})).await;
    }
    let waits = || async { Scrape::of(&metrics).await.sum("postrider_post_waits_total", &[]) };
    for number in 0..BEFORE {
        tenant.message("made", json!({"number": number})).await;
    }
    receiver.wait_at(&healthy, BEFORE).await;
    // That a lane does not move is found out by one post.
    assert!(waits().await <= SILENT as f64);

    until("each has let the first requests time out", || async {
        let stuck = "SELECT count(*) FROM (SELECT endpoint_id FROM attempt WHERE failure = 'timeout'
                     GROUP BY endpoint_id HAVING count(*) >= 16) s";
        (app.database().count(stuck).await == SILENT as i64).then_some(())
    })
    .await;
    let waited = waits().await;
    let accepted = post_all(tenant, BEFORE..BEFORE + AFTER).await;
    receiver.wait_at(&healthy, BEFORE + AFTER).await;
    let times = deliveries(&receiver);
    assert!(accepted.iter().all(|id| times.get(id) == Some(&1)));
    assert!((waits().await - waited).abs() < f64::EPSILON, "a post waited for a lane that is stuck");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_endpoints_that_never_answer_than_requests_at_once_leave_room_for_their_neighbour() {
    // Sixteen requests at once for one application, all of which silent endpoints would have taken for a minute.
    let setup = Setup::default().with("REQUEST_TIMEOUT", "30s").with("MAX_IN_FLIGHT_TOTAL", "64");
    let mut app = setup.start().await;
    app.leave_work();
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let (healthy, url) = (receiver.hook("/healthy"), silent().await);
    tenant.endpoint(&healthy, json!({})).await;
    tenant.message("made", json!({})).await;
    receiver.wait_at(&healthy, 1).await;
    for number in 0..MANY_SILENT {
        let mut hook = healthy.clone();
        hook.url = format!("{url}/{number}");
        tenant.endpoint(&hook, json!({})).await;
    }
    for number in 0..BEFORE {
        tenant.message("made", json!({"number": number})).await;
    }
    receiver.wait_at(&healthy, 1 + BEFORE).await;
    let timeouts = app.database().count("SELECT count(*) FROM attempt WHERE failure = 'timeout'").await;
    assert_eq!(timeouts, 0, "what was delivered did not wait for a timeout");
}
