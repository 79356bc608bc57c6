//! `postrider migrate`.

use clap::Args;

use crate::config::{Config, Flags};
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
        Ok(())
    }
}
