//! `postrider migrate`, and what it would do.

use clap::Args;

use crate::config::{Config, Flags};
use crate::domain::id::ApplicationId;
use crate::server::{Database, Opening};
use crate::telemetry;

/// So many names that no path reaches are listed.
const MOST_NAMES: i64 = 100;

#[derive(Debug, Args)]
pub(super) struct Migrate {
    /// Print what would run, and which tables others would have to wait for, and change nothing
    #[arg(long)]
    plan: bool,
    /// With `--plan`: print JSON
    #[arg(long, requires = "plan")]
    json: bool,
    #[command(flatten)]
    flags: Flags,
}

impl Migrate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        if self.plan {
            return self.print_plan().await;
        }
        let config = Config::set_up(&self.flags, &[])?;
        telemetry::start(&config.log, &config.warnings)?;
        let database = Database::open(&config, Opening::FirstCommand).await?;
        let prepared = prepare(&database).await;
        let database_schema = database.store.database.schema().clone();
        database.close().await?;
        prepared?;
        tracing::info!(schema = %database_schema, "the schema is up to date");
        Ok(())
    }

    async fn print_plan(&self) -> anyhow::Result<()> {
        let config = Config::load(&self.flags)?;
        super::warn(&config)?;
        let database = Database::open(&config, Opening::Command).await?;
        let plan = database.store.database.migration_plan().await;
        database.close().await?;
        let plan = plan?;
        super::print(&if self.json { plan.json()? } else { plan.text() })
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
            "a path with this name may not reach what has it; give it another one, by its id"
        );
    }
    Ok(())
}
