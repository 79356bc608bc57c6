//! Many posts while servers come and go, and the account of what became of them.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::Semaphore;

use super::api::Api;
use super::postgres::Database;
use super::receiver::Receiver;
use super::tenant::Tenant;
use super::until::until;

const POSTS_AT_ONCE: usize = 48;

/// Posts until it is answered 202, however often the server dies meanwhile. The key makes a repetition the same
/// message.
async fn post_until_accepted(tenant: &Tenant, number: usize) -> String {
    until("the post is accepted", || async {
        let request = tenant.api.request(reqwest::Method::POST, &tenant.path("/msg"));
        let body = json!({"eventType": "made", "payload": {"number": number}});
        let request = request.header("idempotency-key", format!("number-{number}")).json(&body);
        match Api::try_send(request).await {
            Ok(answer) if answer.status == 202 => Some(answer.json()["id"].as_str().unwrap().to_owned()),
            Ok(answer) => {
                assert!([429, 503].contains(&answer.status), "{answer:?}");
                None
            }
            Err(_) => None,
        }
    })
    .await
}

/// Posts all messages of these numbers and returns their ids.
pub async fn post_all(tenant: Tenant, numbers: Range<usize>) -> Vec<String> {
    let gate = Arc::new(Semaphore::new(POSTS_AT_ONCE));
    let mut posts = tokio::task::JoinSet::new();
    for number in numbers {
        let place = gate.clone().acquire_owned().await.unwrap();
        let tenant = tenant.clone();
        posts.spawn(async move {
            let id = post_until_accepted(&tenant, number).await;
            drop(place);
            id
        });
    }
    posts.join_all().await
}

/// Deliveries that the receiver has answered 200 and the database does not know as delivered: what a dead server
/// may send again.
pub async fn unrecorded(database: &Database, receiver: &Receiver) -> usize {
    let recorded: Vec<uuid::Uuid> =
        sqlx::query_scalar("SELECT message_id FROM delivery WHERE state = 'delivered'")
            .fetch_all(&database.pool)
            .await
            .unwrap();
    let recorded: HashSet<String> =
        recorded.into_iter().map(|id| postrider::domain::id::MessageId::from(id).to_string()).collect();
    let answered: HashSet<String> = receiver
        .received()
        .into_iter()
        .filter(|request| request.answered == Some(200))
        .map(|request| request.id)
        .collect();
    answered.difference(&recorded).count()
}

/// How often each message was answered 200.
pub fn deliveries(receiver: &Receiver) -> HashMap<String, usize> {
    let mut times = HashMap::new();
    for request in receiver.received() {
        if request.answered == Some(200) {
            *times.entry(request.id).or_default() += 1;
        }
    }
    times
}
