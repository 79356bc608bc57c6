//! Callers whose credential does not hold.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::measure::{Health, assert_small};
use super::raw::{answer, head, rest, status, write};
use crate::support::{Setup, TestApp};

const MIB: usize = 1 << 20;

/// All of the body but its last byte, which nobody waits for.
async fn almost_a_body(address: String) -> u16 {
    let mut connection = TcpStream::connect(&address).await.unwrap();
    let (mut read, mut written) = connection.split();
    let sending = async {
        let _ = written.write_all(head("/app", "nonsense", MIB).as_bytes()).await;
        let _ = written.write_all(&vec![b' '; MIB - 1]).await;
        std::future::pending::<()>().await;
    };
    let reading = async {
        use tokio::io::AsyncReadExt as _;
        let mut begin = [0; 12];
        read.read_exact(&mut begin).await.map(|_| status(&String::from_utf8_lossy(&begin)))
    };
    tokio::select! {
        () = sending => unreachable!(),
        status = reading => status.expect("an answer comes"),
    }
}

async fn wrong_tokens(connections: usize) {
    // So many clients on a busy machine need longer than the usual 10 s to send their heads.
    let app = Setup::default().with("HEAD_TIMEOUT", "1m").start().await;
    let health = Health::watch(&app);
    let asking = join_all((0..connections).map(|_| almost_a_body(app.address())));
    let statuses = tokio::time::timeout(Duration::from_secs(60), asking).await.expect("all are answered");
    assert!(statuses.iter().all(|status| *status == 401), "{statuses:?}");
    let what = format!("{connections} wrong tokens");
    health.expect(&what).await;
    assert_small(&app, &what);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_wrong_tokens_with_bodies_are_answered_from_their_heads() {
    wrong_tokens(1_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_wrong_tokens_with_bodies_are_answered_from_their_heads() {
    wrong_tokens(2_000).await;
}

/// A client that sends everything before it reads anything.
#[tokio::test(flavor = "multi_thread")]
async fn an_early_refusal_arrives_at_a_client_that_sends_first() {
    let app = TestApp::start().await;
    let tenant = app.tenant("early").await;
    let own = app.api().claiming(&json!({"sub": tenant.id, "org": "org_test", "cap": ["ViewBase"]}));
    let cases = [
        ("nonsense".to_owned(), MIB, 401),
        (own.token().to_owned(), MIB, 403),
        (app.environment().token().to_owned(), 3 * MIB, 413),
    ];
    for (token, length, expected) in cases {
        for _ in 0..10 {
            let mut connection = TcpStream::connect(app.address()).await.unwrap();
            connection.write_all(head("/app", &token, length).as_bytes()).await.unwrap();
            connection.write_all(&vec![b' '; length]).await.expect("what is sent is taken");
            let said = rest(&mut connection).await.expect("the connection is not reset");
            assert_eq!(status(&said), expected);
            assert!(said.to_ascii_lowercase().contains("connection: close"), "{said}");
            assert!(said.ends_with('}'), "the answer is whole: {said}");
        }
    }
}

#[tokio::test]
async fn a_body_that_waits_to_be_asked_for_is_not_asked_for() {
    let app = TestApp::start().await;
    let mut connection = TcpStream::connect(app.address()).await.unwrap();
    let head = head("/app", "nonsense", 10).replace("content-type", "expect: 100-continue\r\ncontent-type");
    write(&mut connection, head.as_bytes()).await;
    let (head, _) = answer(&mut connection).await.unwrap();
    assert_eq!(status(&head), 401);
}
