//! `postrider serve`.

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Config, Flags};
use crate::server::Server;
use crate::telemetry;

use super::console;

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    flags: Flags,
}

impl Serve {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = Config::set_up(&self.flags, &[])?;
        telemetry::start(&config.log, &config.warnings)?;
        // From the beginning, because a signal may come during the start.
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let mut server = tokio::select! {
            server = Server::start(&config) => server?,
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        };
        if let Some(link) = server.first_sign_in_link(&config).await? {
            super::print(&console::invitation(&link))?;
        }
        let failure = tokio::select! {
            why = server.failed() => Some(why),
            _ = terminate.recv() => None,
            _ = interrupt.recv() => None,
        };
        tracing::info!("stopping");
        let stopped = server.stop(failure).await;
        failure.map_or(stopped, |why| Err(anyhow::anyhow!(why.sentence())))
    }
}
