//! Something in every list, and how more of it comes in.

use serde_json::{Value, json};

use crate::support::{Api, LocalApp, Receiver, Reply, Setup, Tenant};

/// How something new gets into a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grow {
    Application,
    Endpoint,
    OperationalEndpoint,
    EventType,
    ApiKey,
    BackgroundTask,
    Environment,
    /// One more endpoint that is disabled, with something held for it.
    Waiting,
    /// Delivered at one endpoint, a dead letter at another.
    Message,
    /// One more of the first message, at the good endpoint.
    Attempt,
    /// One more endpoint for the first message.
    Destination,
    /// One more endpoint that asks for the event type `made`.
    Asking,
    /// Somebody who has signed in.
    Person,
}

/// An environment with an application that has everything.
pub struct World {
    pub app: LocalApp,
    operator: Api,
    api: Api,
    tenant: Tenant,
    good: String,
    message: String,
    url: String,
}

impl World {
    pub async fn make(receiver: &Receiver) -> Self {
        let app = Setup::default().with("RETRY_SCHEDULE", "").start_local().await;
        let tenant = app.tenant("paged").await;
        let good = receiver.hook("/good");
        let bad = receiver.hook_that("/bad", |_| Reply::Status(500));
        let good_id = tenant.endpoint(&good, json!({"eventTypes": ["made"]})).await;
        tenant.endpoint(&bad, json!({"retrySchedule": [], "eventTypes": ["made"]})).await;
        let message = tenant.message("made", json!({})).await;
        app.settled().await;
        let operator = app.operator();
        Self { operator, api: app.environment(), good: good_id, message, url: good.url, app, tenant }
    }

    pub fn path(&self, list: &str) -> String {
        list.trim_start_matches("/api/v1")
            .replace("{app_id}", &self.tenant.id)
            .replace("{endpoint_id}", &self.good)
            .replace("{msg_id}", &self.message)
            .replace("{event_type_name}", "made")
    }

    pub fn caller(&self, list: &str) -> &Api {
        if list.contains("/admin/") || list.ends_with("/person") { &self.operator } else { &self.api }
    }

    pub async fn grow(&self, what: Grow, number: usize) {
        let post =
            async |path: &str, body: Value, status: u16| self.api.post(path, &body).await.expect(status);
        let resend = async |endpoint: &str| {
            let path = self.tenant.path(&format!("/msg/{}/endpoint/{endpoint}/resend", self.message));
            post(&path, json!({}), 202).await;
            self.app.settled().await;
        };
        match what {
            Grow::Application => drop(post("/app", json!({"name": "One more"}), 201).await),
            Grow::Endpoint => {
                // It wants nothing, so that no message goes there.
                let body = json!({"url": self.url, "eventTypes": ["nothing"]});
                post(&self.tenant.path("/endpoint"), body, 201).await;
            }
            Grow::OperationalEndpoint => {
                let body = json!({"url": self.url, "eventTypes": ["endpoint.disabled"]});
                post("/operational-webhook/endpoint", body, 201).await;
            }
            Grow::EventType => {
                // In no order, so that new names come before and behind whoever pages.
                let name = format!("type-{}", number * 7919 % 1000);
                post("/event-type", json!({"name": name, "description": "One."}), 201).await;
            }
            Grow::ApiKey => drop(post("/api-key", json!({"name": "One more"}), 201).await),
            Grow::BackgroundTask => {
                post(&self.tenant.path("/dead-letter/discard"), json!({"eventType": "nothing"}), 202).await;
            }
            Grow::Environment => {
                // Its token makes it. In no order, as above.
                let api = self.app.api().claiming(&json!({"sub": format!("org_{}", number * 7919 % 1000)}));
                api.get("/app").await.expect(200);
            }
            Grow::Waiting => {
                let own = format!("only-{number}");
                let body = json!({"url": self.url, "eventTypes": [own], "disabled": true});
                post(&self.tenant.path("/endpoint"), body, 201).await;
                self.tenant.message(&own, json!({})).await;
            }
            Grow::Message => {
                self.tenant.message("made", json!({})).await;
                self.app.settled().await;
            }
            Grow::Attempt => resend(&self.good).await,
            Grow::Asking => {
                let body = json!({"url": self.url, "eventTypes": ["made"]});
                post(&self.tenant.path("/endpoint"), body, 201).await;
            }
            Grow::Person => {
                // As a provider's answer writes it. Each is seen a minute after the one before.
                let insert = "INSERT INTO person (id, issuer, subject, role, last_seen_at)
                    VALUES (gen_random_uuid(), 'https://id.example', $1, 'operator', now() + make_interval(mins => $2))";
                let minutes = i32::try_from(number).unwrap();
                let query = sqlx::query(insert).bind(number.to_string()).bind(minutes);
                query.execute(&self.app.database().pool).await.unwrap();
            }
            Grow::Destination => {
                let body = json!({"url": self.url, "eventTypes": ["nothing"]});
                let made = post(&self.tenant.path("/endpoint"), body, 201).await;
                resend(made["id"].as_str().unwrap()).await;
            }
        }
    }
}
