//! `postrider config`.

use clap::Args;

use crate::config::{Config, Flags};

#[derive(Debug, Args)]
pub(super) struct ShowConfig {
    #[command(flatten)]
    flags: Flags,
}

impl ShowConfig {
    pub(super) fn run(&self) -> anyhow::Result<String> {
        Ok(Config::show(&self.flags)?)
    }
}
