//! Reads an environment from a server, through its API, to the end of each list. The server may be one of another make that
//! has the same operations: what such a one does not have is passed over, and what it has besides is told.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use secrecy::SecretString;
use serde_json::Value;

use crate::cli::client::{Client, is_refused_with, text};
use crate::domain::endpoint::url_credentials::UrlCredentials;
use crate::domain::settings::Fields;

use super::environment::{AlertChannel, AlertRule, Application, Endpoint, Environment, Named, mask_url};
use super::kind::Kind;

/// So many requests at once.
const AT_ONCE: usize = 8;
const NOT_FOUND: u16 = 404;
const FORBIDDEN: u16 = 403;

/// Whose API it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Make {
    Postrider,
    Svix,
}

/// What to read, and how much of it.
pub(super) struct Reader<'a> {
    pub(super) client: &'a Client,
    pub(super) make: Make,
    pub(super) with_secrets: bool,
}

/// What was read, and what of it people should know.
#[derive(Default)]
pub(super) struct Fetched {
    pub(super) environment: Environment,
    pub(super) notes: Vec<String>,
}

/// An object and what is to be known of it.
type Noted<T> = (T, Vec<String>);

impl Reader<'_> {
    /// All of it.
    pub(super) async fn environment(&self) -> anyhow::Result<Fetched> {
        let mut fetched = Fetched::default();
        if self.make == Make::Postrider {
            let policy = self.client.get(&["environment", "policy"], &[]).await?;
            fetched.environment.policy = set_fields(Kind::Policy, &policy)?;
            fetched.environment.look = self.look().await?;
            self.alerts(&mut fetched.environment).await?;
        }
        fetched.environment.event_types = self.event_types().await?;
        let applications = self.client.list_all(&["app"], &[]).await?;
        let applications: Vec<Noted<Application>> = stream::iter(applications)
            .map(|answer| self.application(answer))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        for (application, notes) in applications {
            fetched.environment.applications.push(application);
            fetched.notes.extend(notes);
        }
        let operational = self.endpoints(&["operational-webhook", "endpoint"], "operational endpoint ").await;
        match operational {
            Err(error) if self.make == Make::Svix && is_refused_with(&error, &[FORBIDDEN, NOT_FOUND]) => {
                fetched.notes.push(format!("operational webhooks are left out: {error:#}"));
            }
            read => {
                let (endpoints, notes) = read?;
                fetched.environment.operational_endpoints = endpoints;
                fetched.notes.extend(notes);
            }
        }
        if self.make == Make::Postrider && self.with_secrets {
            self.secrets(&mut fetched.environment).await?;
        }
        fetched.environment.sort();
        Ok(fetched)
    }

    /// The look of the portal, with its logo.
    async fn look(&self) -> anyhow::Result<Fields> {
        let look = self.client.get(&["portal", "look"], &[]).await?;
        let mut fields = set_fields(Kind::Look, &look)?;
        let url = look.get("logoUrl").and_then(Value::as_str);
        if let Some(name) = url.and_then(|url| url.rsplit('/').next()) {
            let logo = self.client.get_bytes(&["portal", "logo", name]).await?;
            fields.insert("logo".to_owned(), STANDARD.encode(logo).into());
        }
        Ok(fields)
    }

    async fn alerts(&self, environment: &mut Environment) -> anyhow::Result<()> {
        for rule in self.all_at_once(&["alert-rule"]).await? {
            let fields = set_fields(Kind::AlertRule, &rule)?;
            environment.alert_rules.push(AlertRule { id: Some(text(&rule, "id")?), fields });
        }
        let mut targets = HashMap::new();
        if self.with_secrets {
            for one in self.all_at_once(&["environment", "alert-channel-target"]).await? {
                targets.insert(text(&one, "alertChannelId")?, text(&one, "target")?);
            }
        }
        for channel in self.all_at_once(&["alert-channel"]).await? {
            let (id, fields) = (text(&channel, "id")?, set_fields(Kind::AlertChannel, &channel)?);
            let target = targets.remove(&id).filter(|target| !target.is_empty()).map(Into::into);
            environment.alert_channels.push(AlertChannel { id: Some(id), fields, target });
        }
        Ok(())
    }

    /// A list that has no pages.
    async fn all_at_once(&self, path: &[&str]) -> anyhow::Result<Vec<Value>> {
        match self.client.get(path, &[]).await?.get_mut("data").map(Value::take) {
            Some(Value::Array(data)) => Ok(data),
            _ => anyhow::bail!("the server's answer to /{} is no list", path.join("/")),
        }
    }

    /// Reads what is secret of all endpoints at once.
    async fn secrets(&self, environment: &mut Environment) -> anyhow::Result<()> {
        let listed = self.client.list_all(&["environment", "endpoint-secret"], &[]).await?;
        let named = listed.into_iter().map(|one| Ok((text(&one, "endpointId")?, one)));
        let mut secrets: HashMap<String, Value> = named.collect::<anyhow::Result<_>>()?;
        let tenants = environment.applications.iter_mut().flat_map(|application| &mut application.endpoints);
        for endpoint in tenants.chain(&mut environment.operational_endpoints) {
            let id = endpoint.known_id()?;
            let found =
                secrets.remove(id).with_context(|| format!("{id} was deleted meanwhile; try again"))?;
            endpoint.secret = Some(text(&found, "secret")?.into());
            endpoint.headers = headers(&found)?;
            let credentials = found.get("urlCredentials").and_then(Value::as_str);
            endpoint.url_credentials = credentials.map(Into::into);
        }
        Ok(())
    }

    async fn event_types(&self) -> anyhow::Result<BTreeMap<String, Fields>> {
        let whole = [("include_archived", "true".to_owned()), ("with_content", "true".to_owned())];
        let listed = self.client.list_all(&["event-type"], &whole).await?;
        listed.iter().map(|one| Ok((text(one, "name")?, set_fields(Kind::EventType, one)?))).collect()
    }

    async fn application(&self, answer: Value) -> anyhow::Result<Noted<Application>> {
        let id = text(&answer, "id")?;
        let mut application = Application {
            fields: set_fields(Kind::Application, &answer)?,
            id: Some(id.clone()),
            paused: paused(&answer),
            endpoints: Vec::new(),
        };
        let place = format!("endpoint {}/", application.name());
        let (endpoints, notes) = self.endpoints(&["app", &id, "endpoint"], &place).await?;
        application.endpoints = endpoints;
        Ok((application, notes))
    }

    async fn endpoints(&self, path: &[&str], place: &str) -> anyhow::Result<Noted<Vec<Endpoint>>> {
        let mut found = (Vec::new(), Vec::new());
        for answer in self.client.list_all(path, &[]).await? {
            let mut endpoint = described(&answer)?;
            let id = text(&answer, "id")?;
            let path: Vec<&str> = path.iter().copied().chain([id.as_str()]).collect();
            let note = self.complete(&mut endpoint, &path).await;
            let named = format!("{place}{}", endpoint.name());
            let note = note.with_context(|| named.clone())?;
            found.1.extend(note.map(|note| format!("{named}: {note}")));
            found.0.push(endpoint);
        }
        Ok(found)
    }

    /// Reads what an endpoint has besides its settings, where it is not read for all of them at once.
    async fn complete(&self, endpoint: &mut Endpoint, path: &[&str]) -> anyhow::Result<Option<String>> {
        let below = |name| path.iter().copied().chain([name]).collect::<Vec<&str>>();
        if self.make == Make::Postrider && self.with_secrets {
            return Ok(None);
        }
        let answer = self.client.get(&below("headers"), &[]).await?;
        endpoint.headers = headers(&answer)?;
        let hidden = answer.get("sensitive").and_then(Value::as_array).into_iter().flatten();
        endpoint.hidden_headers.extend(hidden.filter_map(Value::as_str).map(str::to_owned));
        if self.with_secrets {
            let secret = self.client.get(&below("secret"), &[]).await?;
            endpoint.secret = Some(text(&secret, "key")?.into());
        }
        if self.make == Make::Svix { self.transformation(&below("transformation")).await } else { Ok(None) }
    }

    /// Transformations are programs of their own, and are not carried over.
    async fn transformation(&self, path: &[&str]) -> anyhow::Result<Option<String>> {
        match self.client.get(path, &[]).await {
            Err(error) if is_refused_with(&error, &[FORBIDDEN, NOT_FOUND]) => Ok(None),
            answer => {
                let is_enabled = answer?.get("enabled").and_then(Value::as_bool);
                let is_enabled =
                    is_enabled.context("the server does not say whether it has a transformation")?;
                let note = "it has a transformation, which is not carried over: its payloads go out as they are posted";
                Ok(is_enabled.then(|| note.to_owned()))
            }
        }
    }
}

fn described(answer: &Value) -> anyhow::Result<Endpoint> {
    let reason = answer.get("disabledReason").and_then(Value::as_str).unwrap_or_default();
    let mut fields = set_fields(Kind::Endpoint, answer)?;
    // A URL that is none is refused where it is imported.
    let url_credentials = match mask_url(&mut fields) {
        Ok(UrlCredentials::Given(given)) => Some(given.into()),
        _ => None,
    };
    Ok(Endpoint {
        id: Some(text(answer, "id")?),
        fields,
        url_credentials,
        paused: paused(answer),
        is_disabled_by_server: ["gone", "failing"].contains(&reason),
        ..Endpoint::default()
    })
}

/// Whether it is paused; `None` where the server knows no such thing.
fn paused(answer: &Value) -> Option<bool> {
    answer.get("pausedAt").map(|since| !since.is_null())
}

/// The headers whose values are told.
fn headers(answer: &Value) -> anyhow::Result<BTreeMap<String, SecretString>> {
    let told = answer.get("headers").and_then(Value::as_object);
    let told = told.context("the server's answer has no `headers`")?.iter();
    let told = told.map(|(name, value)| {
        let value = value.as_str().with_context(|| format!("the header {name} is no text"))?;
        Ok((name.clone(), value.into()))
    });
    told.collect()
}

fn set_fields(kind: Kind, answer: &Value) -> anyhow::Result<Fields> {
    let fields = answer.as_object().context("the server's answer is no object")?;
    kind.set_fields(fields).map_err(|wrong| anyhow::anyhow!("the server's answer: {}: {wrong}", kind.noun()))
}
