//! `postrider import`: makes an environment what a file says. Everything is planned before anything is done.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::cli::client::Server;

use super::carry_out::carry_out;
use super::environment::Environment;
use super::fetch::{Make, Reader};
use super::file::{self, Opening, Sealer};
use super::plan::{Extent, plan};
use super::secrets::Secrets;
use super::svix::FromSvix;

/// What to import, and how far.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in crate::cli) struct Import {
    /// The file, as `postrider export` writes it
    #[arg(value_name = "FILE", required = true)]
    file: Option<PathBuf>,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
    /// Remove what is not in the file
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    secrets: Secrets,
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    from: Option<Origin>,
}

/// Where to import from when it is no file.
#[derive(Debug, Subcommand)]
enum Origin {
    /// Take over event types, applications and endpoints with their secrets from Svix, through its API
    Svix(FromSvix),
}

impl Import {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<()> {
        if let Some(Origin::Svix(from)) = self.from {
            return from.run().await;
        }
        let wanted = self.read()?;
        let client = self.server.client()?;
        let without_secrets = self.secrets.without_secrets;
        let reader = Reader { client: &client, make: Make::Postrider, with_secrets: !without_secrets };
        let there = reader.environment().await?;
        let extent = Extent { prune: self.prune, without_secrets };
        let plan = plan(&wanted, &there.environment, extent)?;
        carry_out(&client, &plan, self.dry_run, self.server.json).await
    }

    /// All of the file, read and checked.
    fn read(&self) -> anyhow::Result<Environment> {
        let path = self.file.as_deref().context("name a file")?;
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("{shown} cannot be read"))?;
        let written = file::parse(&text).with_context(|| format!("{shown}"))?;
        let opening = match written.sealing() {
            None => Opening::NothingIsSealed,
            Some(sealing) => match self.secrets.passphrase()? {
                None => Opening::LeftSealed,
                Some(passphrase) => {
                    Opening::With(Sealer::of(sealing, &passphrase).with_context(|| format!("{shown}"))?)
                }
            },
        };
        written.open(&opening).with_context(|| format!("{shown}"))
    }
}
