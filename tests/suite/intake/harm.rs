//! What callers do that want too much. Each goes on until it is dropped, whatever it is answered.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::overload::Target;
use super::{heads, raw, streams};
use crate::support::Api;

const MIB: usize = 1 << 20;
/// Whoever was closed or refused comes back after so long.
const COME_BACK: Duration = Duration::from_secs(1);
const LARGE_MESSAGES: usize = 20;
const LARGE_BYTES: usize = 900 << 10;
const POST_BYTES: usize = 200 << 10;

/// What readers read.
pub async fn prepare(target: &Target) {
    let text = "x".repeat(LARGE_BYTES);
    for _ in 0..LARGE_MESSAGES {
        target.tenant.message("large", json!({"text": text})).await;
    }
}

pub async fn endless_heads(target: Target, connections: usize) {
    join_all(heads::besiege(&target.address, target.callers(connections))).await;
}

/// Opens connections again and again, sends this, and waits for what comes.
async fn knock(target: &Target, connections: usize, head: &str, body: usize) {
    let one = || async {
        loop {
            if let Ok(mut connection) = TcpStream::connect(&target.address).await {
                let (mut read, mut write) = connection.split();
                let mut first = [0; 64];
                let sending = async {
                    let _ = write.write_all(head.as_bytes()).await;
                    for _ in 0..body.div_ceil(64 << 10) {
                        let _ = write.write_all(&[b' '; (64 << 10) - 1]).await;
                    }
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    () = sending => {}
                    _ = read.read(&mut first) => {}
                }
            }
            tokio::time::sleep(COME_BACK).await;
        }
    };
    join_all((0..target.callers(connections)).map(|_| one())).await;
}

pub async fn silence(target: Target, connections: usize) {
    knock(&target, connections, "", 0).await;
}

pub async fn wrong_tokens(target: Target, connections: usize) {
    knock(&target, connections, &raw::head("/app", "nonsense", MIB), MIB).await;
}

pub async fn endless_bodies(target: Target, connections: usize) {
    let head = raw::head(&target.tenant.path("/endpoint"), target.own.token(), MIB);
    knock(&target, connections, &head, MIB).await;
}

/// All over one connection.
pub async fn streams(target: Target, streams: usize, token: String) {
    let client = streams::client();
    let url = format!("http://{}/api/v1{}", target.address, target.tenant.path("/msg"));
    let one = || async {
        loop {
            let request = client.post(&url).bearer_auth(&token).header("content-type", "application/json");
            let _ = request.body(streams::unfinished()).timeout(Duration::from_secs(4)).send().await;
            tokio::time::sleep(COME_BACK).await;
        }
    };
    join_all((0..target.callers(streams)).map(|_| one())).await;
}

/// Asks this over and over; each answer is read to its end.
async fn ask(callers: usize, request: impl Fn() -> reqwest::RequestBuilder) {
    let one = || async {
        loop {
            let _ = Api::try_send(request()).await;
            tokio::time::sleep(COME_BACK).await;
        }
    };
    join_all((0..callers).map(|_| one())).await;
}

pub async fn posters(target: Target, callers: usize) {
    let body = json!({"eventType": "large", "payload": {"text": "x".repeat(POST_BYTES)}}).to_string();
    let body = bytes::Bytes::from(body);
    let path = target.tenant.path("/msg?with_content=false");
    let producer = Api::at(&target.address).with_token(target.producer.token());
    ask(target.callers(callers), || {
        let request = producer.request(http::Method::POST, &path).body(body.clone());
        request.header("content-type", "application/json")
    })
    .await;
}

pub async fn readers(target: Target, callers: usize) {
    let path = target.tenant.path("/msg?limit=250");
    ask(target.callers(callers), || target.reader.request(http::Method::GET, &path)).await;
}

pub async fn imports(target: Target) {
    let deep = "[{a: ".repeat(150_000);
    let item = json!({"post": {"requestBody": {"content": {"application/json": {
        "schema": {"$ref": "#/components/schemas/Large"}}}}}});
    let webhooks: serde_json::Map<_, _> = (0..1_500).map(|n| (format!("w{n}"), item.clone())).collect();
    let large = json!({"description": "x".repeat(750_000)});
    let spec = json!({"webhooks": webhooks, "components": {"schemas": {"Large": large}}});
    let bodies = [json!({"specRaw": deep}), json!({"spec": spec}), json!({"specRaw": spec.to_string()})];
    let bodies = bodies.map(|body| bytes::Bytes::from(body.to_string()));
    join_all(bodies.map(|body| {
        let producer = target.producer.clone();
        ask(2, move || {
            let request = producer.request(http::Method::POST, "/event-type/import/openapi");
            request.header("content-type", "application/json").body(body.clone())
        })
    }))
    .await;
}

/// As long as a body may be, and as long as a list may be.
pub async fn long_lists(target: Target) {
    let endpoint = |names: usize| {
        let names: Vec<String> = (0..names).map(|n| format!("{n:x}")).collect();
        let body = json!({"url": "https://example.com/", "disabled": true, "eventTypes": names});
        bytes::Bytes::from(body.to_string())
    };
    let path = target.tenant.path("/endpoint");
    join_all([endpoint(113_000), endpoint(1_000)].map(|body| {
        let (tenant, path) = (target.tenant.clone(), path.clone());
        ask(4, move || {
            let request = tenant.api.request(http::Method::POST, &path).body(body.clone());
            request.header("content-type", "application/json")
        })
    }))
    .await;
}
