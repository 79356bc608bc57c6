//! `postrider dev`: everything on one machine, to watch and to try. A real server (with a private Postgres, unless a
//! database is given), a few demo tenants, a receiver that verifies every signature as a customer would, and a producer
//! that posts events through the API. One endpoint fails for a while and recovers, and what died meanwhile is
//! replayed; others never answer, are paused or are gone, so that each view of the console has something to show.
//! Everything goes over HTTP, as with a real producer and real receivers.

mod api;
mod behaviour;
mod drill;
mod event_types;
mod events;
mod receiver;
mod screen;
mod statistics;
mod tenants;

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::config::{Config, Flags};
use crate::domain::access::claims::Claims;
use crate::domain::clock::Clock;
use crate::server::Server;
use crate::{config, telemetry};

use super::{console, token};
use api::Api;
use receiver::Receiver;
use screen::Screen;
use statistics::Statistics;

/// Short, so that a dead letter is seen soon. In production the waits are minutes and hours.
const RETRY_SCHEDULE: &str = "1s,2s,4s";
const REQUEST_TIMEOUT: &str = "2s";
const ENVIRONMENT: &str = "org_demo";
const TOKEN_SECONDS: i64 = 24 * 60 * 60;

#[derive(Debug, Args)]
pub(super) struct Dev {
    #[command(flatten)]
    flags: Flags,
}

impl Dev {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = self.config()?;
        telemetry::start(&config.log, &config.warnings)?;
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let stopped = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        tokio::pin!(stopped);
        let mut screen = Screen::new();
        screen.line("Starting Postrider and its Postgres …")?;
        let mut server = tokio::select! {
            server = Server::start(&config) => server?,
            () = &mut stopped => return Ok(()),
        };
        let link = console::make_link(server.store(), &config, "dev").await?;
        let shown = tokio::select! {
            shown = show(&config, &link, &mut screen) => shown,
            why = server.failed() => Err(anyhow::anyhow!(why.sentence())),
            () = stopped => Ok(()),
        };
        screen.line("\nStopping: requests under way are finished first …")?;
        server.stop(None).await?;
        shown
    }

    fn config(&self) -> anyhow::Result<Config> {
        let defaults = [
            ("retry_schedule", RETRY_SCHEDULE.to_owned()),
            ("request_timeout", REQUEST_TIMEOUT.to_owned()),
            // The receiver is on this machine. Loopback is refused everywhere else.
            ("allow_subnets", format!("{}/32", Ipv4Addr::LOCALHOST)),
            ("data_dir", config::data_dir_beside("-dev")?),
            ("log", "error".to_owned()),
        ];
        Ok(Config::set_up(&self.flags, &defaults)?)
    }
}

/// Runs the demonstration for ever.
async fn show(config: &Config, link: &Url, screen: &mut Screen) -> anyhow::Result<()> {
    let api = Api::new(config.listen, mint(config)?)?;
    let statistics = Arc::new(Statistics::new(config.retry_schedule.waits().len() + 1));
    let receiver = Receiver::start(statistics.clone()).await.context("the receiver cannot be started")?;
    event_types::create(&api).await?;
    let tenants = tenants::create(&api, &receiver, &statistics).await?;
    tenants::create_own(&api, &receiver, &statistics).await?;
    screen.lines(&screen::introduction(&api, &tenants, config, link))?;
    let stop = CancellationToken::new();
    let _stopped_at_the_end = stop.clone().drop_guard();
    tokio::spawn(stop.clone().run_until_cancelled_owned(events::produce(
        api.clone(),
        tenants.clone(),
        statistics.clone(),
    )));
    tokio::spawn(stop.run_until_cancelled_owned(drill::run(api, tenants, statistics.clone())));
    screen.follow(&statistics).await
}

fn mint(config: &Config) -> anyhow::Result<String> {
    let iat = Clock::default().now().timestamp();
    let exp = Some(iat + TOKEN_SECONDS);
    let claims = Claims { sub: ENVIRONMENT.to_owned(), iat, exp, ..Claims::default() };
    token::mint(config, &claims)
}
