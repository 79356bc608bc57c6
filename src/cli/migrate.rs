//! `postrider migrate`.

use clap::Args;

use crate::config::{Config, Flags};
use crate::server::Database;
use crate::telemetry;

#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    flags: Flags,
}

impl Migrate {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = Config::load(&self.flags)?;
        telemetry::start(&config.log)?;
        let database = Database::open(&config).await?;
        let prepared = database.prepare(true).await;
        database.close().await?;
        prepared?;
        tracing::info!("the schema is up to date");
        Ok(())
    }
}
