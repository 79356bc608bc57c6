//! Answers that cross what the client sends on a connection that is used again: what was done was answered, and what was
//! not answered was not done.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::raw::{answer, head, rest, status};
use crate::support::{Api, Setup, TestApp};

/// A request that makes an application of this name.
fn creates(token: &str, name: &str) -> String {
    let body = json!({"name": name}).to_string();
    format!("{}{body}", head("/app", token, body.len()))
}

async fn made(app: &TestApp) -> BTreeSet<String> {
    let all = app.environment().all("/app", 250).await;
    all.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

/// The 408 is on its way when the rest of the body comes, and another request after it.
#[tokio::test]
async fn a_408_that_crosses_the_next_request_is_the_last_answer() {
    let app = Setup::default().with("BODY_TIMEOUT", "1s").start().await;
    let token = app.environment().token().to_owned();
    let mut connection = TcpStream::connect(app.address()).await.unwrap();
    connection.write_all(creates(&token, "before").as_bytes()).await.unwrap();
    assert_eq!(status(&answer(&mut connection).await.unwrap().0), 201);
    let slow = creates(&token, "slow");
    let (first, last) = slow.split_at(slow.len() - 5);
    connection.write_all(first.as_bytes()).await.unwrap();
    // It waits in the socket, unread.
    connection.peek(&mut [0]).await.unwrap();
    connection.write_all(format!("{last}{}", creates(&token, "next")).as_bytes()).await.unwrap();
    let said = rest(&mut connection).await.expect("the connection is not reset");
    assert_eq!((status(&said), said.matches("HTTP/1.1 ").count()), (408, 1), "{said}");
    assert!(said.to_ascii_lowercase().contains("connection: close"), "{said}");
    assert_eq!(made(&app).await, ["before".to_owned()].into());
}

/// Bodies that end at about the moment at which their time does: whichever was first, both sides know.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_ends_with_its_time_is_taken_or_refused_and_nothing_between() {
    let app = Setup::default().with("BODY_TIMEOUT", "1s").start().await;
    let token = app.environment().token().to_owned();
    let race = |number: u64| {
        let (address, token) = (app.address(), token.clone());
        async move {
            let slow = creates(&token, &format!("slow {number}"));
            let (first, last) = slow.split_at(slow.len() - 5);
            let mut connection = TcpStream::connect(address).await.unwrap();
            connection.write_all(first.as_bytes()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(960 + number)).await;
            let next = creates(&token, &format!("next {number}"));
            connection.write_all(format!("{last}{next}").as_bytes()).await.unwrap();
            let (head, _) = answer(&mut connection).await.unwrap();
            if status(&head) == 408 {
                assert_eq!(rest(&mut connection).await.expect("it is not reset"), "");
                return vec![];
            }
            let (after, _) = answer(&mut connection).await.unwrap();
            vec![(format!("slow {number}"), status(&head)), (format!("next {number}"), status(&after))]
        }
    };
    let answers: Vec<(String, u16)> =
        join_all((0..40).map(|n| race(2 * n))).await.into_iter().flatten().collect();
    // A machine that is busy otherwise may answer 503: then both sides know that it is not known.
    assert!(answers.iter().all(|(_, status)| matches!(status, 201 | 503)), "{answers:?}");
    let of = |wanted: u16| -> BTreeSet<String> {
        answers.iter().filter(|(_, status)| *status == wanted).map(|(name, _)| name.clone()).collect()
    };
    let known: BTreeSet<String> = made(&app).await.difference(&of(503)).cloned().collect();
    assert_eq!(known, of(201));
}

/// Idle connections are closed for newcomers; one that has just begun its next request is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_crosses_the_closing_of_its_connection_is_answered_or_not_done() {
    /// More than there is room for.
    const CALLERS: usize = 24;
    const REQUESTS: usize = 60;
    let app = Setup::default().with("MAX_CONNECTIONS", "8").start().await;
    let api = app.environment();
    let caller = |caller: usize| {
        let (address, token) = (app.address(), api.token().to_owned());
        async move {
            let (mut answered, mut closed) = (BTreeSet::new(), 0);
            let mut connection: Option<TcpStream> = None;
            for number in 0..REQUESTS {
                let name = format!("{caller} {number}");
                let mut open = match connection.take() {
                    Some(open) => open,
                    None => TcpStream::connect(&address).await.unwrap(),
                };
                let _ = open.write_all(creates(&token, &name).as_bytes()).await;
                match answer(&mut open).await {
                    Ok((head, _)) if status(&head) == 201 => {
                        answered.insert(name);
                        connection = (!head.contains("connection: close")).then_some(open);
                    }
                    Ok((head, _)) => assert_eq!(status(&head), 503),
                    Err(_) => closed += 1,
                }
            }
            (answered, closed)
        }
    };
    let seen = join_all((0..CALLERS).map(caller)).await;
    let closed: usize = seen.iter().map(|(_, closed)| closed).sum();
    let answered: BTreeSet<String> = seen.into_iter().flat_map(|(answered, _)| answered).collect();
    println!("{} requests were answered, {closed} connections closed before", answered.len());
    assert!(closed > 0, "connections were closed for newcomers");
    let found = made(&app).await;
    let unanswered: Vec<&String> = found.difference(&answered).collect();
    assert!(unanswered.is_empty(), "done and not answered: {unanswered:?}");
    assert_eq!(found, answered);
    Api::send(api.request(http::Method::GET, "/health")).await.expect(200);
}
