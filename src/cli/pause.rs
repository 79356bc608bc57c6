//! `postrider pause` and `postrider resume`: hold the deliveries of an endpoint, of an application or of everybody, and let them
//! go on, on a running server.

use anyhow::{bail, ensure};
use clap::Args;
use serde_json::{Value, json};

use super::client::Server;
use super::table::printable;

/// Which deliveries are meant.
#[derive(Debug, Args)]
pub(super) struct Pause {
    /// Those of an application, by id or uid
    #[arg(value_name = "APP")]
    app: Option<String>,
    /// Those of one of its endpoints, by id or uid
    #[arg(value_name = "ENDPOINT")]
    endpoint: Option<String>,
    /// All deliveries of the installation; for operators
    #[arg(long, conflicts_with = "app")]
    all: bool,
    #[command(flatten)]
    server: Server,
}

impl Pause {
    /// `operation` is `pause` or `resume`, as the API names it.
    pub(super) async fn run(self, operation: &str) -> anyhow::Result<()> {
        ensure!(self.all || self.app.is_some(), "name an application, or say --all");
        let mut path = vec!["admin", operation];
        path.extend(self.app.iter().flat_map(|app| ["app", app.as_str()]));
        path.extend(self.endpoint.iter().flat_map(|endpoint| ["endpoint", endpoint.as_str()]));
        let answer = self.server.client()?.post(&path, &json!({})).await?;
        self.server.print(&answer, said)
    }
}

fn said(answer: &Value) -> anyhow::Result<String> {
    match answer.get("pausedAt") {
        Some(Value::String(since)) => Ok(format!("paused since {}: what comes in is held", printable(since))),
        Some(Value::Null) => Ok("not paused: what was held goes out".to_owned()),
        _ => bail!("the server's answer does not say whether it is paused"),
    }
}
