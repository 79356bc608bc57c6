//! `postrider export`: writes the configuration of an environment as a file.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use secrecy::SecretString;

use crate::cli::client::Place;
use crate::cli::{note, print};

use super::environment::Environment;
use super::fetch::{Make, Reader};
use super::file::{self, Sealer};
use super::secrets::Secrets;

/// What to export, from where to where.
#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// Write to this file. One that is there is replaced, and what did not change stays the same text in it
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    secrets: Secrets,
    #[command(flatten)]
    place: Place,
}

impl Export {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<()> {
        let passphrase = self.secrets.passphrase()?;
        let sealer = passphrase.map(|passphrase| self.sealer(&passphrase)).transpose()?;
        let client = self.place.client()?;
        let reader = Reader { client: &client, make: Make::Postrider, with_secrets: sealer.is_some() };
        let fetched = reader.environment().await?;
        for told in &fetched.notes {
            note(told)?;
        }
        // An API key is told once, when it is made.
        let keys = client.list_all(&["api-key"], &[]).await?;
        if !keys.is_empty() {
            let count = keys.len();
            note(&format!(
                "API keys are left out ({count}), which nobody can read: create others where it is imported"
            ))?;
        }
        let sealer = sealer.filter(|_| fetched.environment.has_secrets());
        let text = file::text(&fetched.environment, sealer.as_ref())?;
        let Some(output) = &self.output else { return print(&text) };
        replace(output, &text).with_context(|| format!("{} cannot be written", output.display()))?;
        print(&format!("{} has {}", output.display(), counted(&fetched.environment)))
    }

    /// One with the salt of the file that is there, so that the same secret is the same text again.
    fn sealer(&self, passphrase: &SecretString) -> anyhow::Result<Sealer> {
        let Some(output) = &self.output else { return Sealer::new(passphrase) };
        let shown = output.display();
        match std::fs::read_to_string(output) {
            Err(error) if error.kind() == ErrorKind::NotFound => Sealer::new(passphrase),
            read => {
                let text = read.with_context(|| format!("{shown} cannot be read"))?;
                let there = file::parse(&text)
                    .with_context(|| format!("{shown} is there, is no such file, and is not replaced"))?;
                there
                    .sealing()
                    .map_or_else(|| Sealer::new(passphrase), |sealing| Sealer::of(sealing, passphrase))
                    .with_context(|| {
                        format!("{shown} is there: seal with its passphrase, or write elsewhere")
                    })
            }
        }
    }
}

/// Whoever reads the file meanwhile finds all of the older or all of the newer one.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut name = path.file_name().context("it is no name of a file")?.to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let mut file = std::fs::File::create(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    Ok(())
}

fn counted(environment: &Environment) -> String {
    let endpoints: usize =
        environment.applications.iter().map(|application| application.endpoints.len()).sum();
    let of = |number: usize, noun: &str| crate::cli::counted(number, noun);
    format!(
        "{}, {} with {}, and {}",
        of(environment.event_types.len(), "event type"),
        of(environment.applications.len(), "application"),
        of(endpoints, "endpoint"),
        of(environment.operational_endpoints.len(), "operational endpoint"),
    )
}
