//! Heads that never end.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::measure::{Health, assert_small, descriptors};
use super::raw::{answer, head, rest, status};
use crate::support::{Api, Receiver, Setup, until};

const PART_OF_A_HEAD: &[u8] = b"POST /api/v1/app HTTP/1.1\r\nhost: postrider\r\nx-slow: ";

/// Connections with a part of a head each, opened again whenever the server closes them.
pub fn besiege(address: &str, connections: usize) -> Vec<tokio::task::JoinHandle<()>> {
    let one = |address: String| async move {
        loop {
            if let Ok(mut connection) = TcpStream::connect(&address).await {
                let _ = connection.write_all(PART_OF_A_HEAD).await;
                let _ = connection.read(&mut [0; 64]).await;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    (0..connections).map(|_| tokio::spawn(one(address.to_owned()))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_heads_shut_nobody_out_when_descriptors_are_few() {
    let app = Setup::default().with_descriptors(1_024).start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("besieged").await;
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    let siege = besiege(&app.address(), 1_500);
    until("the listener is full", || async { (descriptors(&app) > 240).then_some(()) }).await;
    let health = Health::watch(&app);
    let mut sent = Vec::new();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(4) {
        // A producer that comes anew each time.
        let fresh = Api::at(&app.address()).with_token(tenant.api.token());
        let body = json!({"eventType": "besieged", "payload": {"n": sent.len()}});
        let answer = fresh.post(&tenant.path("/msg"), &body).await.expect(202);
        sent.push(answer["id"].as_str().unwrap().to_owned());
    }
    until("everything is delivered", || async {
        let received = receiver.received();
        sent.iter().all(|id| received.iter().any(|it| it.id == *id)).then_some(())
    })
    .await;
    let all_at_once = receiver.received().iter().all(|it| it.nth == 1);
    assert!(all_at_once, "no delivery had to be tried again");
    assert_eq!(tenant.dead_letters().await.len(), 0);
    health.expect("1,500 slow heads").await;
    assert!(descriptors(&app) < 1_024, "some are kept back");
    assert_small(&app, "1,500 slow heads");
    siege.into_iter().for_each(|one| one.abort());
}

#[tokio::test]
async fn a_head_and_an_idle_connection_have_their_time() {
    let app = Setup::default().with("HEAD_TIMEOUT", "1s").with("IDLE_TIMEOUT", "4s").start().await;
    let mut silent = TcpStream::connect(app.address()).await.unwrap();
    let mut slow = TcpStream::connect(app.address()).await.unwrap();
    slow.write_all(PART_OF_A_HEAD).await.unwrap();
    let mut idle = TcpStream::connect(app.address()).await.unwrap();
    idle.write_all(b"GET /api/v1/health/ping HTTP/1.1\r\nhost: postrider\r\n\r\n").await.unwrap();
    let (head, _) = answer(&mut idle).await.unwrap();
    assert_eq!(status(&head), 204);
    assert_eq!(rest(&mut silent).await.unwrap_or_default(), "");
    assert_eq!(rest(&mut slow).await.unwrap_or_default(), "");
    // It was kept while those two were closed, and is closed in its time.
    idle.write_all(b"GET /api/v1/health/ping HTTP/1.1\r\nhost: postrider\r\n\r\n").await.unwrap();
    let (head, _) = answer(&mut idle).await.unwrap();
    assert_eq!(status(&head), 204);
    assert_eq!(rest(&mut idle).await.unwrap_or_default(), "");
}

#[tokio::test]
async fn a_body_that_stops_is_answered_in_time() {
    let app = Setup::default().with("BODY_TIMEOUT", "1s").start().await;
    let environment = app.environment();
    let mut connection = TcpStream::connect(app.address()).await.unwrap();
    connection.write_all(head("/app", environment.token(), 1_000).as_bytes()).await.unwrap();
    connection.write_all(b"{").await.unwrap();
    let said = rest(&mut connection).await.unwrap();
    assert_eq!(status(&said), 408);
    assert!(
        said.contains("body_timeout") && said.to_ascii_lowercase().contains("connection: close"),
        "{said}"
    );
}

/// Known callers at work are not closed for others; when there is no room left, that is said.
#[tokio::test]
async fn a_full_listener_keeps_those_at_work_and_says_when_to_come_back() {
    let app = Setup::default().with("MAX_CONNECTIONS", "8").start().await;
    let token = app.environment().token().to_owned();
    let mut at_work = Vec::new();
    for _ in 0..8 {
        let mut connection = TcpStream::connect(app.address()).await.unwrap();
        let get = head("/app", &token, 0).replace("POST", "GET");
        connection.write_all(get.as_bytes()).await.unwrap();
        let (known, _) = answer(&mut connection).await.unwrap();
        assert_eq!(status(&known), 200);
        let asking = head("/app", &token, 14).replace("content-type", "expect: 100-continue\r\ncontent-type");
        connection.write_all(asking.as_bytes()).await.unwrap();
        let (asked, _) = answer(&mut connection).await.unwrap();
        assert_eq!(status(&asked), 100, "the body is wanted, so the request is under way");
        connection.write_all(b"{").await.unwrap();
        at_work.push(connection);
    }
    let refused = until("there is no room", || async {
        let mut connection = TcpStream::connect(app.address()).await.unwrap();
        connection.write_all(b"GET /api/v1/health/ping HTTP/1.1\r\nhost: postrider\r\n\r\n").await.ok()?;
        let (head, body) = answer(&mut connection).await.ok()?;
        (status(&head) == 503).then_some((head, body))
    })
    .await;
    assert!(refused.0.contains("retry-after: 1\r\n"), "{refused:?}");
    assert!(refused.1.contains("overloaded"), "{refused:?}");
    for mut connection in at_work {
        connection.write_all(br#""name":"one"}"#).await.unwrap();
        let (head, _) = answer(&mut connection).await.unwrap();
        assert_eq!(status(&head), 201);
    }
}
