//! `postrider endpoint`: where a tenant's messages go, on a running server.

mod check;

use clap::{Args, Subcommand};
use serde_json::json;

use super::application::id;
use super::client::{Limit, Server, text};
use super::table::Column;
use check::Check;

const COLUMNS: [Column; 6] = [
    ("ID", "id"),
    ("UID", "uid"),
    ("URL", "url"),
    ("EVENT TYPES", "eventTypes"),
    ("DISABLED", "disabled"),
    ("PAUSED AT", "pausedAt"),
];

#[derive(Debug, Subcommand)]
pub(super) enum Endpoints {
    /// List an application's endpoints
    List(List),
    /// Create an endpoint, and print its id
    Create(Create),
    /// Print the secret that an endpoint's requests are signed with, alone, on standard output
    Secret(Secret),
    /// Send an endpoint a genuine, a forged and an old request, and say how it dealt with each; fails unless all is well
    Check(Check),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// The application, by id or uid
    #[arg(value_name = "APP")]
    app: String,
    #[command(flatten)]
    limit: Limit,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The application, by id or uid
    #[arg(value_name = "APP")]
    app: String,
    /// Where its requests go
    #[arg(value_name = "URL")]
    address: String,
    /// A name of your own for it, which can stand for its id
    #[arg(long, value_name = "UID")]
    uid: Option<String>,
    /// What it listens to; without any, to everything
    #[arg(long = "event-type", value_name = "NAME")]
    event_types: Vec<String>,
    /// A secret of your own, `whsec_…`; without it, one is made
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, Args)]
pub(super) struct Secret {
    /// The application, by id or uid
    #[arg(value_name = "APP")]
    app: String,
    /// The endpoint, by id or uid
    #[arg(value_name = "ENDPOINT")]
    endpoint: String,
    #[command(flatten)]
    server: Server,
}

impl Endpoints {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::List(List { app, limit, server }) => {
                let found = server.client()?.list(&["app", &app, "endpoint"], &[], limit.limit).await?;
                server.print_list(&COLUMNS, &found, "No endpoints.")
            }
            Self::Create(create) => create.run().await,
            Self::Secret(Secret { app, endpoint, server }) => {
                let path = ["app", &app, "endpoint", &endpoint, "secret"];
                let answer = server.client()?.get(&path, &[]).await?;
                server.print(&answer, |answer| text(answer, "key"))
            }
            Self::Check(check) => check.run().await,
        }
    }
}

impl Create {
    async fn run(self) -> anyhow::Result<()> {
        let event_types = (!self.event_types.is_empty()).then_some(self.event_types);
        let body =
            json!({"url": self.address, "uid": self.uid, "eventTypes": event_types, "secret": self.secret});
        let made = self.server.client()?.post(&["app", &self.app, "endpoint"], &body).await?;
        self.server.print(&made, id)
    }
}
