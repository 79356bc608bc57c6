//! The demo tenants and their endpoints. They are the same at every start, and are found again.

use std::sync::Arc;

use serde_json::json;

use super::api::{Api, text};
use super::receiver::Receiver;
use super::statistics::{Behaviour, Statistics};

/// A tenant of the demonstration.
pub(super) struct Tenant {
    /// Its `uid`.
    pub(super) uid: &'static str,
    name: &'static str,
    /// Its endpoints' `uid`s, with what they listen to and how they behave.
    endpoints: &'static [(&'static str, &'static [&'static str], Behaviour)],
}

impl Tenant {
    /// Its endpoints' `uid`s.
    pub(super) fn endpoint_uids(&self) -> impl Iterator<Item = &'static str> {
        self.endpoints.iter().map(|(uid, ..)| *uid)
    }
}

/// All of them, shared.
pub(super) type Tenants = Arc<[Tenant]>;

/// The endpoint that fails for a while and then recovers: its tenant, and its `uid`.
pub(super) const FLAKY: (&str, &str) = ("acme", "flaky");

const EVENT_TYPES: [(&str, &str); 5] = [
    ("invoice.paid", "An invoice was paid in full."),
    ("invoice.overdue", "An invoice was not paid in time."),
    ("order.shipped", "An order has left the warehouse."),
    ("user.signed_up", "Somebody made an account."),
    ("user.deleted", "An account was deleted."),
];

/// Makes sure that the tenants, their event types and their endpoints are there, and that the endpoints point at
/// this run's receiver.
pub(super) async fn create(
    api: &Api,
    receiver: &Receiver,
    statistics: &Statistics,
) -> anyhow::Result<Tenants> {
    let tenants = [
        Tenant {
            uid: "acme",
            name: "Acme Ltd",
            endpoints: &[
                ("orders", &[], Behaviour::Works),
                ("flaky", &["invoice.paid", "order.shipped"], Behaviour::Flaky),
            ],
        },
        Tenant {
            uid: "globex",
            name: "Globex Corporation",
            endpoints: &[
                ("crm", &["user.signed_up", "user.deleted"], Behaviour::Works),
                ("silent", &["invoice.overdue"], Behaviour::Silent),
            ],
        },
    ];
    for (name, description) in EVENT_TYPES {
        api.put(&format!("/event-type/{name}"), &json!({"description": description})).await?;
    }
    for tenant in &tenants {
        api.put(&format!("/app/{}", tenant.uid), &json!({"name": tenant.name, "uid": tenant.uid})).await?;
        for (uid, event_types, behaviour) in tenant.endpoints {
            let index = statistics.add(tenant.uid, uid, *behaviour);
            let path = format!("/app/{}/endpoint/{uid}", tenant.uid);
            let body = json!({"url": receiver.url(index), "uid": uid, "filterTypes": event_types});
            api.put(&path, &body).await?;
            let secret = text(&api.get(&format!("{path}/secret")).await?, "key")?;
            receiver.expect_secret(index, &secret)?;
        }
    }
    Ok(tenants.into())
}
