//! `postrider import svix`: takes over what Svix has, through the API and the operations of its client libraries. Their
//! shapes are ours, so that it is read like an environment of our own.

use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::cli::client::{Client, Place};
use crate::config::Remote;
use crate::domain::endpoint::secret::SigningSecret;
use crate::domain::settings::Fields;

use super::carry_out::carry_out;
use super::environment::{Environment, Named, SVIX_ID};
use super::fetch::{Make, Reader};
use super::plan::{Extent, plan};

/// From where to where.
#[derive(Debug, Args)]
pub(super) struct FromSvix {
    /// Svix's server, such as https://api.eu.svix.com
    #[arg(long, value_name = "URL")]
    url: String,
    /// The token of an environment there [env: POSTRIDER_SVIX_TOKEN]
    #[arg(long)]
    token: Option<String>,
    /// The server to import to [env: POSTRIDER_URL] [default: http://127.0.0.1:8071]
    #[arg(long, value_name = "URL")]
    to_url: Option<String>,
    /// An environment's token there [env: POSTRIDER_TOKEN]
    #[arg(long, value_name = "TOKEN")]
    to_token: Option<String>,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
    /// Without secrets: endpoints get new ones
    #[arg(long)]
    without_secrets: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl FromSvix {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let with_secrets = !self.without_secrets;
        let source = Client::new(&Remote::svix(self.url, self.token)?)?;
        let client = Place::of(self.to_url, self.to_token).client()?;
        let mut from = Reader { client: &source, make: Make::Svix, with_secrets }.environment().await?;
        from.notes.extend(leave_out_public_keys(&mut from.environment));
        let there =
            Reader { client: &client, make: Make::Postrider, with_secrets }.environment().await?.environment;
        let mut wanted = from.environment;
        mark_origins(&mut wanted);
        // Svix has nothing of the kind that could be asked for.
        wanted.policy = there.policy.clone();
        wanted.look = there.look.clone();
        wanted.alert_rules = there.alert_rules.clone();
        wanted.alert_channels = there.alert_channels.clone();
        let mut plan = plan(&wanted, &there, Extent { prune: false, without_secrets: self.without_secrets })?;
        plan.unwanted.clear();
        plan.notes.extend(from.notes);
        carry_out(&client, &plan, self.dry_run, self.json).await
    }
}

/// Writes down where each came from that has no `uid`, so that a second import finds it.
fn mark_origins(environment: &mut Environment) {
    for application in &mut environment.applications {
        mark(&mut application.fields, application.id.as_deref());
        for endpoint in &mut application.endpoints {
            mark(&mut endpoint.fields, endpoint.id.as_deref());
        }
    }
    for endpoint in &mut environment.operational_endpoints {
        mark(&mut endpoint.fields, endpoint.id.as_deref());
    }
}

fn mark(fields: &mut Fields, id: Option<&str>) {
    if fields.contains_key("uid") {
        return;
    }
    if let Some(id) = id
        && let Value::Object(metadata) = fields.entry("metadata").or_insert_with(|| json!({}))
    {
        metadata.insert(SVIX_ID.to_owned(), id.into());
    }
}

/// Takes away secrets of which Svix tells the public half only, and says whose they are.
fn leave_out_public_keys(environment: &mut Environment) -> Vec<String> {
    let tenants = environment.applications.iter_mut().flat_map(|application| {
        let place = format!("endpoint {}/", application.name());
        application.endpoints.iter_mut().map(move |endpoint| (place.clone(), endpoint))
    });
    let operational = environment.operational_endpoints.iter_mut();
    let operational = operational.map(|endpoint| ("operational endpoint ".to_owned(), endpoint));
    let mut notes = Vec::new();
    for (place, endpoint) in tenants.chain(operational) {
        let cannot_sign = |secret: &SecretString| SigningSecret::parse(secret.expose_secret()).is_err();
        if endpoint.secret.take_if(|secret| cannot_sign(secret)).is_some() {
            let name = endpoint.name();
            notes.push(format!("{place}{name}: its private key is not told, and is left out"));
        }
    }
    notes
}
