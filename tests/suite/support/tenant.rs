//! A tenant, and what most tests do with one.

use serde_json::{Value, json};

use super::api::{Answer, Api};
use super::receiver::Hook;

/// An application with its environment's token.
#[derive(Clone)]
pub struct Tenant {
    pub api: Api,
    pub id: String,
}

impl Tenant {
    pub async fn create(api: &Api, name: &str) -> Self {
        let made = api.post("/app", &json!({"name": name})).await.expect(201);
        Self { api: api.clone(), id: made["id"].as_str().unwrap().to_owned() }
    }

    /// An alert rule and an alert channel of its environment, by the names that paths have for them.
    pub async fn alerts(&self) -> [(&'static str, String); 2] {
        let channel = json!({"name": "Ours", "kind": "slack", "target": "https://example.com/ours"});
        let channel = self.api.post("/alert-channel", &channel).await.expect(201);
        let rules = self.api.get("/alert-rule").await.expect(200);
        let id = |object: &Value| object["id"].as_str().unwrap().to_owned();
        [("alert_rule_id", id(&rules["data"][0])), ("alert_channel_id", id(&channel))]
    }

    /// A path below this application.
    pub fn path(&self, rest: &str) -> String {
        format!("/app/{}{rest}", self.id)
    }

    /// An endpoint at `hook`, with these settings. Returns its id.
    pub async fn endpoint(&self, hook: &Hook, settings: Value) -> String {
        let mut body = json!({"url": hook.url, "secret": hook.secret});
        body.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let made = self.api.post(&self.path("/endpoint"), &body).await.expect(201);
        made["id"].as_str().unwrap().to_owned()
    }

    /// Posts a message and returns its id.
    pub async fn message(&self, event_type: &str, payload: Value) -> String {
        self.message_of(json!({"eventType": event_type, "payload": payload})).await
    }

    /// Posts a message of these parts and returns its id.
    pub async fn message_of(&self, body: Value) -> String {
        let made = self.api.post(&self.path("/msg"), &body).await.expect(202);
        made["id"].as_str().unwrap().to_owned()
    }

    /// Posts a message whose payload is this text, byte for byte.
    pub async fn raw(&self, payload: &str) -> Answer {
        let body = format!(r#"{{"eventType":"raw","payload":{payload}}}"#);
        self.api.post_bytes(&self.path("/msg"), body).await
    }

    /// The attempts at an endpoint, newest first.
    pub async fn attempts(&self, endpoint: &str) -> Vec<Value> {
        self.api.all(&self.path(&format!("/attempt/endpoint/{endpoint}")), 100).await
    }

    pub async fn patch_endpoint(&self, endpoint: &str, change: Value) -> Value {
        self.api.patch(&self.path(&format!("/endpoint/{endpoint}")), &change).await.expect(200)
    }

    pub async fn get_endpoint(&self, endpoint: &str) -> Value {
        self.api.get(&self.path(&format!("/endpoint/{endpoint}"))).await.expect(200)
    }

    /// The dead letters that nobody has dealt with.
    pub async fn dead_letters(&self) -> Vec<Value> {
        self.api.all(&self.path("/dead-letter?state=open"), 100).await
    }
}
