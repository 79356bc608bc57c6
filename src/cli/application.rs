//! `postrider application`: the tenants of an environment, on a running server.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Limit, Server, text};
use super::table::Column;

const COLUMNS: [Column; 4] = [("ID", "id"), ("UID", "uid"), ("NAME", "name"), ("CREATED AT", "createdAt")];

#[derive(Debug, Subcommand)]
pub(super) enum Applications {
    /// List applications
    List(List),
    /// Create an application, and print its id
    Create(Create),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    limit: Limit,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// What people call it
    #[arg(value_name = "NAME")]
    name: String,
    /// A name of your own for it, which can stand for its id
    #[arg(long, value_name = "UID")]
    uid: Option<String>,
    #[command(flatten)]
    server: Server,
}

impl Applications {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::List(List { limit, server }) => {
                let found = server.client()?.list(&["app"], &[], limit.limit).await?;
                server.print_list(&COLUMNS, &found, "No applications.")
            }
            Self::Create(Create { name, uid, server }) => {
                let made = server.client()?.post(&["app"], &json!({"name": name, "uid": uid})).await?;
                server.print(&made, id)
            }
        }
    }
}

/// The id of what was made.
pub(super) fn id(made: &Value) -> anyhow::Result<String> {
    text(made, "id")
}
