//! A change that was answered is in force: whatever is kept of it is changed on one node while another is used, and no
//! answer of the other is from before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::support::{Api, Receiver, Tenant, TestApp};

const ROUNDS: usize = 8;

/// Two nodes, one tenant, and posts through both all the time, so that everything is kept everywhere.
struct World {
    app: TestApp,
    _other: crate::support::Node,
    here: Api,
    there: Api,
    tenant: Tenant,
    receiver: Receiver,
    stop: Arc<AtomicBool>,
    posting: Vec<tokio::task::JoinHandle<()>>,
}

impl World {
    async fn begin() -> Self {
        let (app, receiver) = (TestApp::start().await, Receiver::start().await);
        let other = app.another_node("other").await;
        let (here, tenant) = (app.environment(), app.tenant("one").await);
        let there = here.through(&other.address());
        let stop = Arc::new(AtomicBool::new(false));
        let post = |api: &Api| {
            let (api, path, stop) = (api.clone(), tenant.path("/msg"), stop.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    api.post(&path, &json!({"eventType": "noise", "payload": {}})).await.expect(202);
                }
            })
        };
        let posting = vec![post(&here), post(&there)];
        Self { app, _other: other, here, there, tenant, receiver, stop, posting }
    }

    /// Posts a message through the other node, and returns its id.
    async fn post_there(&self) -> String {
        let body = json!({"eventType": "made", "payload": {}});
        let made = self.there.post(&self.tenant.path("/msg"), &body).await.expect(202);
        made["id"].as_str().unwrap().to_owned()
    }

    /// Waits until a message has been delivered, and returns the requests that carried it.
    async fn requests_of(&self, id: &str) -> Vec<crate::support::receiver::Received> {
        let of = |all: &[crate::support::receiver::Received]| {
            all.iter().filter(|request| request.id == id).cloned().collect::<Vec<_>>()
        };
        let all = self.receiver.wait_until("it arrives", |all| !of(all).is_empty()).await;
        of(&all)
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for posting in self.posting {
            posting.await.unwrap();
        }
        self.app.done().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_goes_by_what_was_answered_on_another_node() {
    let world = World::begin().await;
    let hooks = [world.receiver.hook("/0"), world.receiver.hook("/1")];
    let endpoint = world.tenant.endpoint(&hooks[0], json!({"filterTypes": ["made"]})).await;
    for round in 1..=ROUNDS {
        let hook = &hooks[round % 2];
        let change = json!({"url": hook.url});
        world.tenant.patch_endpoint(&endpoint, change).await;
        let path = world.tenant.path(&format!("/endpoint/{endpoint}/secret/rotate"));
        let rotated = json!({"key": hook.secret});
        let answer = world.here.post(&path, &rotated).await;
        assert!(answer.status < 300 || answer.status == 409, "{answer:?}");
        let headers = json!({"headers": {"x-round": round.to_string()}});
        let path = world.tenant.path(&format!("/endpoint/{endpoint}/headers"));
        assert!(world.here.put(&path, &headers).await.status < 300);
        let id = world.post_there().await;
        for request in world.requests_of(&id).await {
            assert_eq!(request.path, hook.path, "it goes where it was sent last");
            assert_eq!(request.headers["x-round"], round.to_string().as_str());
        }
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_to_what_was_closed_on_another_node() {
    let world = World::begin().await;
    let hook = world.receiver.hook("/hook");
    let endpoint = world.tenant.endpoint(&hook, json!({"filterTypes": ["made"]})).await;
    let operator = world.here.claiming(&json!({"sub": "operator"}));
    let of_endpoint = format!("/app/{}/endpoint/{endpoint}", world.tenant.id);
    let of_tenant = format!("/app/{}", world.tenant.id);
    let change = |disabled: bool| json!({"disabled": disabled});
    for round in 0..ROUNDS {
        match round % 4 {
            0 => drop(world.tenant.patch_endpoint(&endpoint, change(true)).await),
            1 => drop(world.here.post(&format!("/admin/pause{of_endpoint}"), &json!({})).await.expect(200)),
            2 => drop(world.here.post(&format!("/admin/pause{of_tenant}"), &json!({})).await.expect(200)),
            _ => drop(operator.post("/admin/pause", &json!({})).await.expect(200)),
        }
        let before = world.receiver.received_at(&hook).len();
        let mut held = Vec::new();
        for _ in 0..5 {
            held.push(world.post_there().await);
        }
        let count = "SELECT count(*) FROM delivery d JOIN message m ON m.id = d.message_id
                     WHERE m.event_type = 'made' AND d.state = 'held'";
        crate::support::until("they are held", || async {
            (world.app.database().count(count).await == 5).then_some(())
        })
        .await;
        assert_eq!(world.receiver.received_at(&hook).len(), before, "round {round}: it is closed");
        match round % 4 {
            0 => drop(world.tenant.patch_endpoint(&endpoint, change(false)).await),
            1 => drop(world.here.post(&format!("/admin/resume{of_endpoint}"), &json!({})).await.expect(200)),
            2 => drop(world.here.post(&format!("/admin/resume{of_tenant}"), &json!({})).await.expect(200)),
            _ => drop(operator.post("/admin/resume", &json!({})).await.expect(200)),
        }
        world.receiver.wait_at(&hook, before + 5).await;
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_was_taken_back_opens_no_node() {
    let world = World::begin().await;
    let read = world.tenant.path("/endpoint");
    for _ in 0..ROUNDS {
        let body = json!({"name": "a key", "role": "environment"});
        let made = world.here.post("/api-key", &body).await.expect(201);
        let key = world.there.with_token(made["key"].as_str().unwrap());
        key.get(&read).await.expect(200);
        let id = made["id"].as_str().unwrap();
        assert!(world.here.delete(&format!("/api-key/{id}")).await.status < 300);
        key.get(&read).await.expect(401);

        let path = format!("/auth/app-portal-access/{}", world.tenant.id);
        let access = world.here.post(&path, &json!({})).await.expect(200);
        let tenant = world.there.with_token(access["token"].as_str().unwrap());
        tenant.get(&read).await.expect(200);
        let path = format!("/auth/app/{}/expire-all", world.tenant.id);
        assert!(world.here.post(&path, &json!({"expiry": 0})).await.status < 300);
        tenant.get(&read).await.expect(401);
    }
    world.end().await;
}
