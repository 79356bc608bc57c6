//! The demo tenants and their endpoints. They are the same at every start, and are found again.

use std::sync::Arc;

use serde_json::{Value, json};

use super::api::{Api, text};
use super::behaviour::Behaviour;
use super::receiver::Receiver;
use super::statistics::Statistics;

/// A tenant of the demonstration.
pub(super) struct Tenant {
    /// Its `uid`.
    pub(super) uid: &'static str,
    name: &'static str,
    endpoints: &'static [Endpoint],
}

struct Endpoint {
    uid: &'static str,
    description: &'static str,
    /// What it listens to; everything, when there are none.
    event_types: &'static [&'static str],
    behaviour: Behaviour,
}

impl Tenant {
    /// Its endpoints' `uid`s.
    pub(super) fn endpoint_uids(&self) -> impl Iterator<Item = &'static str> {
        self.endpoints.iter().map(|endpoint| endpoint.uid)
    }
}

/// All of them, shared.
pub(super) type Tenants = Arc<[Tenant]>;

/// The endpoint that fails for a while and then recovers: its tenant, and its `uid`.
pub(super) const FLAKY: (&str, &str) = ("acme", "flaky");

/// The endpoint that leads to a test inbox: its tenant, and its `uid`.
const INBOX: (&str, &str) = ("acme", "inbox");

const TENANTS: [Tenant; 4] = [
    Tenant {
        uid: "acme",
        name: "Acme Ltd",
        endpoints: &[
            Endpoint {
                uid: "orders",
                description: "Takes everything, and works",
                event_types: &[],
                behaviour: Behaviour::Works,
            },
            Endpoint {
                uid: "flaky",
                description: "Fails for a while, and recovers",
                event_types: &["invoice.paid", "order.shipped"],
                behaviour: Behaviour::Flaky,
            },
        ],
    },
    Tenant {
        uid: "globex",
        name: "Globex Corporation",
        endpoints: &[
            Endpoint {
                uid: "crm",
                description: "Works",
                event_types: &["user.signed_up", "user.deleted"],
                behaviour: Behaviour::Works,
            },
            Endpoint {
                uid: "silent",
                description: "Takes the connection and never answers",
                event_types: &["invoice.overdue"],
                behaviour: Behaviour::Silent,
            },
        ],
    },
    Tenant {
        uid: "initech",
        name: "Initech",
        endpoints: &[
            Endpoint {
                uid: "reports",
                description: "Works, and takes its time",
                event_types: &[],
                behaviour: Behaviour::Slow,
            },
            Endpoint {
                uid: "legacy",
                description: "Answers 503 since its last release",
                event_types: &["invoice.overdue", "user.deleted"],
                behaviour: Behaviour::Broken,
            },
        ],
    },
    Tenant {
        uid: "umbrella",
        name: "Umbrella Labs",
        endpoints: &[
            Endpoint {
                uid: "staging",
                description: "Paused while its database is moved",
                event_types: &["user.signed_up"],
                behaviour: Behaviour::Paused,
            },
            Endpoint {
                uid: "old",
                description: "Answers 410, so that it is disabled",
                event_types: &["order.shipped"],
                behaviour: Behaviour::Gone,
            },
        ],
    },
];

/// Makes sure that the tenants and their endpoints are there, and that the endpoints point at this run's receiver.
pub(super) async fn create(
    api: &Api,
    receiver: &Receiver,
    statistics: &Statistics,
) -> anyhow::Result<Tenants> {
    for tenant in &TENANTS {
        api.put(&format!("/app/{}", tenant.uid), &json!({"name": tenant.name, "uid": tenant.uid})).await?;
        for endpoint in tenant.endpoints {
            let index = statistics.add(tenant.uid, endpoint.uid, endpoint.behaviour);
            let path = format!("/app/{}/endpoint/{}", tenant.uid, endpoint.uid);
            let body = json!({"url": receiver.url(index), "uid": endpoint.uid, "filterTypes": endpoint.event_types,
                              "description": endpoint.description});
            put_endpoint(api, receiver, index, &path, &body).await?;
            if endpoint.behaviour == Behaviour::Paused {
                let pause = format!("/admin/pause/app/{}/endpoint/{}", tenant.uid, endpoint.uid);
                api.post(&pause, &Value::Null).await?;
            }
        }
    }
    create_at_inbox(api).await?;
    Ok(TENANTS.into())
}

/// An endpoint of the first tenant that leads to a test inbox, which shows what it got in the console and in the portal. An
/// inbox ends after a day; then there is another at the next start.
async fn create_at_inbox(api: &Api) -> anyhow::Result<()> {
    let (tenant, path) = (INBOX.0, format!("/app/{}/endpoint/{}", INBOX.0, INBOX.1));
    if api.get(&format!("{path}/inbox")).await.is_ok() {
        return Ok(());
    }
    let inbox = api.post("/inbox", &json!({"appId": tenant})).await?;
    let body = json!({"url": text(&inbox, "url")?, "uid": INBOX.1, "filterTypes": ["invoice.paid", "user.signed_up"],
                      "description": "A test inbox, which shows what it gets"});
    api.put(&path, &body).await?;
    Ok(())
}

/// The environment's own: who is told of what becomes of endpoints and of alerts, and a key, such as a back end would have.
pub(super) async fn create_own(
    api: &Api,
    receiver: &Receiver,
    statistics: &Statistics,
) -> anyhow::Result<()> {
    let index = statistics.add("operations", "alerts", Behaviour::Works);
    let body =
        json!({"url": receiver.url(index), "uid": "alerts", "description": "Told of endpoints that fail"});
    put_endpoint(api, receiver, index, "/operational-webhook/endpoint/alerts", &body).await?;
    let channels = api.get("/alert-channel").await?;
    if is_empty(&channels) {
        api.post("/alert-channel", &json!({"name": "On call", "kind": "operational"})).await?;
    }
    let keys = api.get("/api-key?limit=1").await?;
    if is_empty(&keys) {
        api.post("/api-key", &json!({"name": "billing service"})).await?;
    }
    Ok(())
}

fn is_empty(list: &Value) -> bool {
    list.get("data").and_then(Value::as_array).is_none_or(Vec::is_empty)
}

async fn put_endpoint(
    api: &Api,
    receiver: &Receiver,
    index: usize,
    path: &str,
    body: &Value,
) -> anyhow::Result<()> {
    api.put(path, body).await?;
    let secret = text(&api.get(&format!("{path}/secret")).await?, "key")?;
    receiver.expect_secret(index, &secret)
}
