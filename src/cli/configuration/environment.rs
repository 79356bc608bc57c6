//! An environment's configuration: what a file says, or what a server has. Secrets stand in it as they are, so none of it
//! is ever printed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::domain::endpoint::target_url;
use crate::domain::endpoint::url_credentials::UrlCredentials;
use crate::domain::settings::Fields;

/// The entry of the metadata that tells from which of Svix's objects one was made. It stands where there is no `uid`.
pub(super) const SVIX_ID: &str = "svixId";

/// Everything that is set in an environment. Of each object only those fields are there that are not as by default.
#[derive(Debug, Default)]
pub(super) struct Environment {
    pub(super) policy: Fields,
    pub(super) look: Fields,
    /// By name.
    pub(super) event_types: BTreeMap<String, Fields>,
    pub(super) alert_rules: Vec<AlertRule>,
    pub(super) alert_channels: Vec<AlertChannel>,
    pub(super) applications: Vec<Application>,
    /// Those that are told what becomes of the tenants' endpoints.
    pub(super) operational_endpoints: Vec<Endpoint>,
}

/// When to alert.
#[derive(Debug, Clone, Default)]
pub(super) struct AlertRule {
    /// The id on the server that it came from.
    pub(super) id: Option<String>,
    pub(super) fields: Fields,
}

/// What alerts are sent over.
#[derive(Debug, Clone, Default)]
pub(super) struct AlertChannel {
    /// The id on the server that it came from.
    pub(super) id: Option<String>,
    pub(super) fields: Fields,
    /// Where it leads to; `None` when it leads nowhere, or that is not known.
    pub(super) target: Option<SecretString>,
}

/// A tenant.
#[derive(Debug, Default)]
pub(super) struct Application {
    /// The id on the server that it came from.
    pub(super) id: Option<String>,
    pub(super) fields: Fields,
    /// Whether an operator holds its deliveries; `None` where nothing is said of it.
    pub(super) paused: Option<bool>,
    pub(super) endpoints: Vec<Endpoint>,
}

/// An endpoint.
#[derive(Debug, Default)]
pub(super) struct Endpoint {
    /// The id on the server that it came from.
    pub(super) id: Option<String>,
    /// The URL among them has a mask where its credentials are.
    pub(super) fields: Fields,
    /// `whsec_…` or `whsk_…`; of Svix also `whpk_…`, which is of no use here. `None` when it is not known.
    pub(super) secret: Option<SecretString>,
    /// `user:password` of the URL; `None` when there is none or it is not known.
    pub(super) url_credentials: Option<SecretString>,
    pub(super) headers: BTreeMap<String, SecretString>,
    /// Names of headers that are there, and whose values are not known.
    pub(super) hidden_headers: BTreeSet<String>,
    /// Whether an operator holds its deliveries; `None` where nothing is said of it.
    pub(super) paused: Option<bool>,
    /// The server disabled it because of its receiver.
    pub(super) is_disabled_by_server: bool,
}

/// What objects have in common that there may be many of: what they are known by.
pub(super) trait Named {
    fn id(&self) -> Option<&str>;
    fn fields(&self) -> &Fields;
    /// The field that tells one from another where neither has a `uid`.
    const LIKENESS: &'static str;

    /// The id of one that came from a server.
    fn known_id(&self) -> anyhow::Result<&str> {
        self.id().with_context(|| format!("the server's answer has no id of {}", self.name()))
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.fields().get(field).and_then(Value::as_str)
    }

    fn uid(&self) -> Option<&str> {
        self.text("uid")
    }

    /// What people find it by.
    fn name(&self) -> String {
        let likeness = || self.text(Self::LIKENESS).unwrap_or_default().to_owned();
        self.uid().map_or_else(likeness, str::to_owned)
    }
}

impl Named for Application {
    const LIKENESS: &'static str = "name";

    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn fields(&self) -> &Fields {
        &self.fields
    }
}

impl Named for AlertRule {
    const LIKENESS: &'static str = "name";

    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn fields(&self) -> &Fields {
        &self.fields
    }
}

impl Named for AlertChannel {
    const LIKENESS: &'static str = "name";

    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn fields(&self) -> &Fields {
        &self.fields
    }
}

impl Named for Endpoint {
    const LIKENESS: &'static str = "url";

    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn fields(&self) -> &Fields {
        &self.fields
    }
}

impl Environment {
    /// Puts everything in the order that files have: by `uid`, then what has none, as it was created; what alerts, by its name.
    pub(super) fn sort(&mut self) {
        self.alert_rules.sort_by_cached_key(|rule| (rule.name(), rule.id.clone()));
        self.alert_channels.sort_by_cached_key(|channel| (channel.name(), channel.id.clone()));
        self.applications.sort_by_cached_key(order);
        for application in &mut self.applications {
            application.endpoints.sort_by_cached_key(order);
        }
        self.operational_endpoints.sort_by_cached_key(order);
    }

    /// Whether anything in it must not be read by everybody.
    pub(super) fn has_secrets(&self) -> bool {
        let tenants = self.applications.iter().flat_map(|application| &application.endpoints);
        let mut endpoints = tenants.chain(&self.operational_endpoints);
        self.alert_channels.iter().any(|channel| channel.target.is_some())
            || endpoints.any(|endpoint| {
                endpoint.secret.is_some()
                    || endpoint.url_credentials.is_some()
                    || !endpoint.headers.is_empty()
            })
    }
}

/// Ids sort by the time of creation.
fn order(object: &impl Named) -> (bool, String, Option<String>) {
    let id = object.id().filter(|_| object.uid().is_none());
    (object.uid().is_none(), object.uid().unwrap_or_default().to_owned(), id.map(str::to_owned))
}

/// Writes an endpoint's URL as the API shows it, in its usual form and with a mask for its credentials, and returns those.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub(super) fn mask_url(fields: &mut Fields) -> Result<UrlCredentials, String> {
    let text = fields.get("url").and_then(Value::as_str).unwrap_or_default();
    let mut url = target_url::parse(text).map_err(|wrong| wrong.to_string())?;
    let credentials = UrlCredentials::take_from(&mut url).map_err(|wrong| wrong.to_string())?;
    fields.insert("url".to_owned(), credentials.shown_in(url.as_str()).into());
    Ok(credentials)
}

/// Whether both are the same text.
pub(super) fn is_same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}
