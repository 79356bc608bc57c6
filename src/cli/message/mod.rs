//! `postrider message`: posts messages to a running server, lists them, and shows what became of one.

mod life;

use std::io::Read;

use anyhow::Context;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::value::RawValue;

use super::application::id;
use super::client::{Limit, Server};
use super::table::Column;
use life::Show;

const COLUMNS: [Column; 4] =
    [("ID", "id"), ("EVENT ID", "eventId"), ("EVENT TYPE", "eventType"), ("ACCEPTED AT", "timestamp")];

#[derive(Debug, Subcommand)]
pub(super) enum Messages {
    /// Post a message, and print its id
    Post(Post),
    /// List an application's messages, newest first
    List(List),
    /// Show a message's life: where each delivery stands, and each request that was made
    Show(Show),
}

#[derive(Debug, Args)]
pub(super) struct Post {
    /// The application, by id or uid
    #[arg(value_name = "APP")]
    app: String,
    /// The event type, such as invoice.paid
    #[arg(value_name = "EVENT_TYPE")]
    event_type: String,
    /// A JSON object, sent byte for byte as it stands here; `-` or nothing reads standard input
    #[arg(value_name = "PAYLOAD")]
    payload: Option<String>,
    /// Your own id of the event: of those with the same one, only the first is accepted
    #[arg(long, value_name = "ID")]
    event_id: Option<String>,
    #[command(flatten)]
    server: Server,
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

/// The body of a post. The payload keeps its bytes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewMessage<'a> {
    event_type: &'a str,
    event_id: Option<&'a str>,
    payload: &'a RawValue,
}

impl Messages {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Post(post) => post.run().await,
            Self::List(List { app, limit, server }) => {
                let found = server.client()?.list(&["app", &app, "msg"], &[], limit.limit).await?;
                server.print_list(&COLUMNS, &found, "No messages.")
            }
            Self::Show(show) => show.run().await,
        }
    }
}

impl Post {
    async fn run(self) -> anyhow::Result<()> {
        let payload = self.payload.filter(|text| text != "-").map_or_else(read_payload, Ok)?;
        let payload = serde_json::from_str(&payload).context("the payload is not JSON")?;
        let body = NewMessage { event_type: &self.event_type, event_id: self.event_id.as_deref(), payload };
        let accepted = self.server.client()?.post(&["app", &self.app, "msg"], &body).await?;
        self.server.print(&accepted, id)
    }
}

fn read_payload() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text).context("standard input cannot be read")?;
    Ok(text)
}
