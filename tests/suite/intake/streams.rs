//! One connection of HTTP/2 with many requests.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::Value;

use super::measure::{Health, assert_small, peak_mib};
use crate::support::TestApp;

const MIB: usize = 1 << 20;

pub fn client() -> reqwest::Client {
    // Names the provider of cryptography.
    drop(crate::support::api::client());
    let builder = reqwest::Client::builder().no_proxy().http2_prior_knowledge();
    builder.http2_initial_connection_window_size(64 << 20).build().unwrap()
}

/// A body of a mebibyte that lacks its last byte.
pub fn unfinished() -> reqwest::Body {
    let parts = (0..64).map(|_| Ok::<_, std::io::Error>(Frame::data(Bytes::from(vec![b' '; MIB / 64 - 1]))));
    reqwest::Body::wrap(StreamBody::new(stream::iter(parts).chain(stream::pending())))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_cannot_hold_much() {
    let app = TestApp::start().await;
    let client = client();
    let before = peak_mib(&app);
    let health = Health::watch(&app);
    let url = format!("http://{}/api/v1/app", app.address());
    let token = app.environment().token().to_owned();
    let hold = |_| {
        let request = client.post(&url).bearer_auth(&token).header("content-type", "application/json");
        tokio::time::timeout(Duration::from_secs(4), request.body(unfinished()).send())
    };
    join_all((0..300).map(hold)).await;
    health.expect("300 streams of a known caller").await;
    assert_small(&app, "300 streams of a known caller");
    let after = peak_mib(&app);
    assert!(after - before <= 40, "a connection took {} MiB", after - before);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_strangers_are_answered_from_their_heads() {
    let app = TestApp::start().await;
    let client = client();
    let url = format!("http://{}/api/v1/app", app.address());
    let ask = |_| async {
        let request = client.post(&url).bearer_auth("nonsense").header("content-type", "application/json");
        let answer = request.header("content-length", MIB.to_string()).body(unfinished()).send().await;
        let answer = answer.expect("an answer comes");
        let status = answer.status().as_u16();
        let said: Value = answer.json().await.unwrap();
        assert_eq!((status, said["code"].as_str()), (401, Some("authentication_failed")));
    };
    join_all((0..500).map(ask)).await;
    assert_small(&app, "500 streams of strangers");
}
