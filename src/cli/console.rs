//! `postrider console link`: makes a link that signs an operator in to the console, once, in the database itself.

use clap::Subcommand;
use url::Url;

use crate::api;
use crate::config::{Config, Flags};
use crate::domain::access::actor::Actor;
use crate::server::{Database, Opening};
use crate::store::Store;

#[derive(Debug, Subcommand)]
pub(super) enum Console {
    /// Make a link that signs an operator in, and print it, alone, on standard output: it holds for 15 minutes, once
    Link {
        #[command(flatten)]
        flags: Flags,
    },
}

impl Console {
    pub(super) async fn run(&self) -> anyhow::Result<String> {
        let Self::Link { flags } = self;
        let config = Config::load(flags)?;
        super::warn(&config)?;
        let database = Database::open(&config, Opening::Command).await?;
        let made = match database.prepare(false).await {
            Ok(()) => make_link(&database.store, &config, "console link").await,
            Err(error) => Err(error),
        };
        database.close().await?;
        Ok(made?.to_string())
    }
}

/// A link of that command's.
pub(super) async fn make_link(store: &Store, config: &Config, command: &str) -> anyhow::Result<Url> {
    let link = store.access.make_sign_in_link(&Actor::cli(command)).await?;
    Ok(api::sign_in_url(&config.links_start_with(), &link))
}

/// What the first start says.
pub(super) fn invitation(link: &Url) -> String {
    format!(
        "Nobody can sign in yet. This link opens the console as an operator, once, within 15 minutes:\n\n  {link}\n\n\
         `postrider console link` makes another."
    )
}
