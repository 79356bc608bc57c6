//! `postrider dead-letters`: lists, replays and discards dead letters on a running server, through its API.

mod progress;

use std::io::{IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::client::{Client, Server};
use super::table;

/// How often progress is asked for.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);
const COLUMNS: [table::Column; 8] = [
    ("ID", "id"),
    ("STATE", "state"),
    ("DIED AT", "diedAt"),
    ("REASON", "reason"),
    ("STATUS", "lastStatusCode"),
    ("ATTEMPTS", "attemptsMade"),
    ("EVENT TYPE", "eventType"),
    ("ENDPOINT", "endpointUrl"),
];

#[derive(Debug, Subcommand)]
pub(super) enum DeadLetters {
    /// List dead letters, newest first
    List(List),
    /// Send dead letters again: those of the given ids, or all open ones of a filter
    Replay(Move),
    /// Discard dead letters: those of the given ids, or all open ones of a filter
    Discard(Move),
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Which dead letters")]
struct Filter {
    /// Of one application, by id or uid
    #[arg(long, value_name = "APP")]
    app: Option<String>,
    /// Of one endpoint, by id; with --app also by uid
    #[arg(long, value_name = "ENDPOINT")]
    endpoint: Option<String>,
    /// Of messages of one event type
    #[arg(long, value_name = "NAME")]
    event_type: Option<String>,
    /// That died for one reason
    #[arg(long, value_parser = ["exhausted", "gone", "unsendable", "hold_expired", "endpoint_deleted", "unrecordable", "not_retryable"])]
    reason: Option<String>,
    /// Whose last answer had this status
    #[arg(long, value_name = "CODE")]
    status_code: Option<u16>,
    /// That died then or later, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// That died before
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// In one state
    #[arg(long, value_parser = ["open", "replayed", "discarded"])]
    state: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    filter: Filter,
    /// At most this many
    #[arg(long, default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    server: Server,
}

#[derive(Debug, Args)]
pub(super) struct Move {
    /// Dead letters by id, `dl_…`; without any, the filter says which
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    #[command(flatten)]
    filter: Filter,
    /// All open dead letters that the token may touch, when there is no filter
    #[arg(long)]
    all: bool,
    /// Only count them
    #[arg(long)]
    dry_run: bool,
    /// At most this many a second
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<u32>,
    /// For a replay: send the oldest of each endpoint first, and go on only if it is answered 2xx
    #[arg(long)]
    oldest_first: bool,
    /// Why, to be shown with the background task and in the audit log
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Wait for the end, showing progress
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    server: Server,
}

impl Filter {
    /// The filter in the words of a body, without the application: that is in the path.
    fn body(&self) -> Map<String, Value> {
        let texts = [
            ("endpointId", &self.endpoint),
            ("eventType", &self.event_type),
            ("reason", &self.reason),
            ("since", &self.since),
            ("until", &self.until),
            ("state", &self.state),
        ];
        let mut body: Map<String, Value> = texts
            .into_iter()
            .filter_map(|(name, text)| text.as_ref().map(|text| (name.to_owned(), json!(text))))
            .collect();
        if let Some(code) = self.status_code {
            body.insert("statusCode".to_owned(), json!(code));
        }
        body
    }

    /// The same in the words of a query.
    fn query(&self) -> Vec<(&'static str, String)> {
        let texts = [
            ("endpoint_id", &self.endpoint),
            ("event_type", &self.event_type),
            ("reason", &self.reason),
            ("since", &self.since),
            ("until", &self.until),
            ("state", &self.state),
        ];
        let given = texts.into_iter().filter_map(|(name, text)| text.clone().map(|text| (name, text)));
        given.chain(self.status_code.map(|code| ("status_code", code.to_string()))).collect()
    }

    fn is_empty(&self) -> bool {
        self.app.is_none() && self.body().is_empty()
    }

    /// Where the API has these dead letters.
    fn base(&self) -> Vec<&str> {
        self.app.as_deref().map_or_else(|| vec!["dead-letter"], |app| vec!["app", app, "dead-letter"])
    }
}

impl DeadLetters {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::List(list) => list.run().await,
            Self::Replay(replay) => replay.run("replay").await,
            Self::Discard(discard) => discard.run("discard").await,
        }
    }
}

impl List {
    async fn run(self) -> anyhow::Result<()> {
        let client = self.server.client()?;
        let letters = client.list(&self.filter.base(), &self.filter.query(), self.limit).await?;
        if self.server.json {
            return super::print(&serde_json::to_string_pretty(&letters)?);
        }
        super::print(&of_dead_letters(&letters))
    }
}

impl Move {
    /// `operation` is `replay` or `discard`, as the API names it.
    async fn run(self, operation: &str) -> anyhow::Result<()> {
        let client = self.server.client()?;
        if !self.ids.is_empty() {
            return self.move_each(&client, operation).await;
        }
        ensure!(
            self.all || !self.filter.is_empty(),
            "name dead letters by id or by a filter, or say --all for every open one"
        );
        let mut body = self.filter.body();
        body.insert("dryRun".to_owned(), json!(self.dry_run));
        body.extend(self.rate.map(|rate| ("ratePerSecond".to_owned(), json!(rate))));
        body.extend(self.oldest_first.then(|| ("oldestFirst".to_owned(), json!(true))));
        body.extend(self.note.as_ref().map(|note| ("note".to_owned(), json!(note))));
        let mut path = self.filter.base();
        path.push(operation);
        let mut answer = client.post(&path, &Value::Object(body)).await?;
        if self.follow && !self.dry_run {
            answer = follow(&client, answer).await?;
        }
        if self.server.json {
            return super::print(&serde_json::to_string_pretty(&answer)?);
        }
        super::print(&progress::of_bulk(operation, &answer))
    }

    /// Whether nothing is asked for that goes for many at once.
    const fn moves_each(&self) -> bool {
        let is_for_many = self.all || self.dry_run || self.oldest_first;
        !is_for_many && self.rate.is_none() && self.note.is_none()
    }

    async fn move_each(&self, client: &Client, operation: &str) -> anyhow::Result<()> {
        ensure!(
            self.filter.body().is_empty() && self.moves_each(),
            "ids go without a filter, --all, --dry-run, --rate, --oldest-first and --note"
        );
        let mut moved = Vec::new();
        for id in &self.ids {
            let mut path = self.filter.base();
            path.extend([id.as_str(), operation]);
            moved.push(client.post(&path, &json!({})).await.with_context(|| id.clone())?);
        }
        if self.server.json {
            return super::print(&serde_json::to_string_pretty(&moved)?);
        }
        super::print(&of_dead_letters(&moved))
    }
}

fn of_dead_letters(letters: &[Value]) -> String {
    table::of(&COLUMNS, letters, "No dead letters.")
}

/// Waits for the end of a background task, and shows progress to a person who watches.
async fn follow(client: &Client, mut task: Value) -> anyhow::Result<Value> {
    let id = task.get("id").and_then(Value::as_str).context("the server's answer names no task")?.to_owned();
    let watched = std::io::stderr().is_terminal();
    while task.get("status").and_then(Value::as_str) == Some("running") {
        tokio::time::sleep(PROGRESS_INTERVAL).await;
        task = client.get(&["background-task", &id], &[]).await?;
        if watched {
            write!(std::io::stderr().lock(), "\r{}", progress::progress(&task))?;
        }
    }
    if watched {
        writeln!(std::io::stderr().lock())?;
    }
    ensure!(
        task.get("status").and_then(Value::as_str) == Some("finished"),
        "the background task {id} failed: {}",
        task.pointer("/data/error").and_then(Value::as_str).unwrap_or("the server does not say why")
    );
    Ok(task)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_says_the_same_in_a_body_and_in_a_query() {
        let filter = Filter {
            app: Some("acme".to_owned()),
            endpoint: Some("ep_1".to_owned()),
            status_code: Some(500),
            ..Filter::default()
        };
        assert_eq!(Value::Object(filter.body()), json!({"endpointId": "ep_1", "statusCode": 500}));
        assert_eq!(filter.query(), [("endpoint_id", "ep_1".to_owned()), ("status_code", "500".to_owned())]);
        assert_eq!(filter.base(), ["app", "acme", "dead-letter"]);
        assert!(!filter.is_empty() && Filter::default().is_empty());
    }
}
