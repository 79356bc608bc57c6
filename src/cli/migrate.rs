//! `postrider migrate`.

use clap::Args;

use crate::config::{Config, Flags};
use crate::domain::id::ApplicationId;
use crate::server::{Database, Opening};
use crate::telemetry;

/// So many names that no path reaches are listed.
const MOST_NAMES: i64 = 100;

#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    flags: Flags,
}

impl Migrate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = Config::set_up(&self.flags, &[])?;
        telemetry::start(&config.log, &config.warnings)?;
        let database = Database::open(&config, Opening::FirstCommand).await?;
        let prepared = prepare(&database).await;
        database.close().await?;
        prepared?;
        tracing::info!("the schema is up to date");
        Ok(())
    }
}

/// Migrates, and says which names have to be changed by hand.
async fn prepare(database: &Database) -> anyhow::Result<()> {
    database.prepare(true).await?;
    for found in database.store.configuration.unreachable_names(MOST_NAMES).await? {
        tracing::warn!(
            kind = found.kind,
            environment = found.environment_id,
            application = found.application_id.map(|id| ApplicationId::from(id).to_string()),
            name = found.name,
            "no path reaches what has this name; give it another one, by its id"
        );
    }
    Ok(())
}
