//! One key, one thing made: whether its twins come at once, or after the server died before it could answer.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{LocalApp, Receiver, TestApp, until};

const TWINS: usize = 200;

/// Posts the same so often at once. Every answer is the same; it is returned.
async fn post_at_once(app: &LocalApp, path: &str, body: &Value, status: u16) -> Value {
    let api = app.environment();
    let mut posts = tokio::task::JoinSet::new();
    for _ in 0..TWINS {
        let (api, path, body) = (api.clone(), path.to_owned(), body.clone());
        posts.spawn(async move { api.post_once(&path, "one-key", &body).await });
    }
    let answers: BTreeSet<String> =
        posts.join_all().await.into_iter().map(|answer| answer.expect(status).to_string()).collect();
    assert_eq!(answers.len(), 1, "{answers:?}");
    serde_json::from_str(answers.first().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_posts_at_once_with_one_key_make_one() {
    let app = LocalApp::start().await;
    let receiver = Receiver::start().await;
    let hook = receiver.hook("/hook");
    let application = post_at_once(&app, "/app", &json!({"name": "One"}), 201).await;
    let of_it = format!("/app/{}", application["id"].as_str().unwrap());
    let endpoint = json!({"url": hook.url, "secret": hook.secret});
    post_at_once(&app, &format!("{of_it}/endpoint"), &endpoint, 201).await;
    let event_type = json!({"name": "made", "description": "It was made."});
    post_at_once(&app, "/event-type", &event_type, 201).await;
    let message = json!({"eventType": "made", "payload": {"n": 1}});
    let message = post_at_once(&app, &format!("{of_it}/msg"), &message, 202).await;

    let requests = receiver.wait_at(&hook, 1).await;
    assert_eq!(requests[0].id, message["id"]);
    app.settled().await;
    let counts = [
        "SELECT count(*) FROM application",
        "SELECT count(*) FROM endpoint",
        "SELECT count(*) FROM message",
        "SELECT count(*) FROM delivery",
        "SELECT count(*) FROM attempt",
    ];
    for count in counts {
        assert_eq!(app.database().count(count).await, 1, "{count}");
    }
}

#[tokio::test]
async fn a_key_with_another_query_is_no_repetition() {
    let app = LocalApp::start().await;
    let api = app.environment();
    let body = json!({"name": "One", "uid": "one"});
    api.post_once("/app", "a-key", &body).await.expect(201);
    api.post_once("/app", "a-key", &body).await.expect(201);
    let other = api.post_once("/app?get_if_exists=true", "a-key", &body).await;
    other.expect_error(409, "idempotency_key_reused");
}

/// The message is committed and its producer never hears of it: the connection breaks, the server is killed. The
/// retry is answered as the first post would have been.
#[tokio::test(flavor = "multi_thread")]
async fn a_post_whose_answer_was_lost_with_the_server_is_answered_by_its_retry() {
    let mut app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    for round in 1..=5_i64 {
        let key = format!("round-{round}");
        let body = json!({"eventType": "made", "payload": {"round": round}});
        let text = body.to_string();
        let mut connection = TcpStream::connect(app.address()).await.unwrap();
        let request = format!(
            "POST /api/v1{} HTTP/1.1\r\nhost: postrider\r\nauthorization: Bearer {}\r\nidempotency-key: {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{text}",
            tenant.path("/msg"),
            tenant.api.token(),
            text.len(),
        );
        connection.write_all(request.as_bytes()).await.unwrap();
        until("the message is stored", || async {
            (app.database().count("SELECT count(*) FROM message").await == round).then_some(())
        })
        .await;
        app.node_mut().kill9();
        drop(connection);
        app.node_mut().restart().await;

        let first = tenant.api.post_once(&tenant.path("/msg"), &key, &body).await.expect(202);
        let again = tenant.api.post_once(&tenant.path("/msg"), &key, &body).await.expect(202);
        assert_eq!(first["id"], again["id"]);
        assert_eq!(app.database().count("SELECT count(*) FROM message").await, round);
        let newest = tenant.api.get(&tenant.path("/msg?limit=1")).await.expect(200);
        assert_eq!(newest["data"][0]["id"], first["id"]);
    }
    app.settled().await;
    let arrived: BTreeSet<String> =
        receiver.received_at(&hook).into_iter().map(|request| request.id).collect();
    assert_eq!(arrived.len(), 5);
}

#[tokio::test]
async fn an_idempotency_key_gives_the_first_answer_again() {
    let (app, receiver) = (LocalApp::start().await, Receiver::start().await);
    let tenant = app.tenant("one").await;
    let hook = receiver.hook("/hook");
    tenant.endpoint(&hook, json!({})).await;
    let (api, path) = (&tenant.api, tenant.path("/msg"));
    let body = json!({"eventType": "a", "payload": {"n": 1}});
    let first = api.post_once(&path, "key", &body).await;
    first.expect(202);
    let again = api.post_once(&path, "key", &body).await;
    again.expect(202);
    assert_eq!(first.text, again.text);
    let other = json!({"eventType": "a", "payload": {"n": 2}});
    assert_eq!(api.post_once(&path, "key", &other).await.status, 409);
    let made = api.post_once("/app", "key", &json!({"name": "two"})).await.expect(201);
    assert_eq!(api.post_once("/app", "key", &json!({"name": "two"})).await.expect(201), made);
    assert_eq!(api.post_once("/app", "key", &json!({"name": "three"})).await.status, 409);
    // Another caller's key is another key.
    let stranger = app.api().claiming(&json!({"sub": "org_stranger"}));
    let theirs = stranger.post_once("/app", "key", &json!({"name": "two"})).await.expect(201);
    assert_ne!(theirs["id"], made["id"]);

    // Twins at once make one message.
    let twins: Vec<_> = (0..16)
        .map(|_| {
            let (api, path, body) = (api.clone(), path.clone(), other.clone());
            tokio::spawn(async move { api.post_once(&path, "twins", &body).await.expect(202)["id"].clone() })
        })
        .collect();
    let mut seen = Vec::new();
    for twin in twins {
        seen.push(twin.await.unwrap());
    }
    assert!(seen.iter().all(|id| *id == seen[0]), "{seen:?}");
    app.settled().await;
    assert_eq!(receiver.received_at(&hook).len(), 2);
}
