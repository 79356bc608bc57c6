//! Dead letters: how they are found, how they come back, and how they are laid aside.

mod bulk;
mod discard;
mod list;
mod replay;
mod resend;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::receiver::Hook;
use crate::support::{Api, App, Receiver, Reply, Served, Setup, Tenant, until};

/// A server whose deliveries die after their second attempt.
fn brief() -> Setup {
    Setup::default().with("RETRY_SCHEDULE", "20ms")
}

/// A tenant with an endpoint that fails.
struct Failing {
    tenant: Tenant,
    hook: Hook,
    endpoint: String,
}

impl Failing {
    async fn new(app: &App<impl Served>, receiver: &Receiver, name: &str) -> Self {
        let tenant = app.tenant(name).await;
        let hook = receiver.hook_that(&format!("/{name}"), |_| Reply::Status(500));
        let endpoint = tenant.endpoint(&hook, json!({})).await;
        Self { tenant, hook, endpoint }
    }

    /// Messages that died.
    async fn die(&self, app: &App<impl Served>, number: usize) -> BTreeSet<String> {
        let mut ids = BTreeSet::new();
        for number in 0..number {
            ids.insert(self.tenant.message("order.lost", json!({"number": number})).await);
        }
        app.settled().await;
        ids
    }

    /// The only open dead letter.
    async fn only(&self) -> Value {
        let mut open = self.tenant.dead_letters().await;
        assert_eq!(open.len(), 1, "{open:?}");
        open.remove(0)
    }
}

fn id_of(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

fn path_of(letter: &Value, rest: &str) -> String {
    format!("/dead-letter/{}{rest}", id_of(letter))
}

/// The ids of the messages in these dead letters.
fn messages(letters: &[Value]) -> BTreeSet<String> {
    letters.iter().map(|letter| letter["msgId"].as_str().unwrap().to_owned()).collect()
}

/// The background task, when it has ended.
async fn ended(api: &Api, task: &Value) -> Value {
    let path = format!("/background-task/{}", id_of(task));
    until("the background task ends", || async {
        let task = api.get(&path).await.expect(200);
        (task["status"] != "running").then_some(task)
    })
    .await
}
