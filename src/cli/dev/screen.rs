//! What the terminal shows: a block that is refreshed in index, or, where there is no terminal, plain lines.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use url::Url;

use crate::config::Config;

use super::api::Api;
use super::statistics::{Counts, EndpointCounts, Statistics};
use super::tenants::Tenants;

const REFRESH_INTERVAL: Duration = Duration::from_millis(500);
/// Without a terminal, the counts are printed once in this many refreshes.
const REFRESHES_PER_COUNTS: u32 = 10;

pub(super) struct Screen {
    terminal: bool,
    /// How many lines of the last block are on the terminal.
    drawn: usize,
    shown_events: u64,
    refreshes: u32,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self { terminal: std::io::stdout().is_terminal(), drawn: 0, shown_events: 0, refreshes: 0 }
    }

    pub(super) fn line(&mut self, line: &str) -> anyhow::Result<()> {
        self.lines(&format!("{line}\n"))
    }

    /// Prints lines that stay.
    pub(super) fn lines(&mut self, text: &str) -> anyhow::Result<()> {
        self.drawn = 0;
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    /// Shows the counts for ever.
    pub(super) async fn follow(&mut self, statistics: &Statistics) -> anyhow::Result<()> {
        let mut ticks = tokio::time::interval(REFRESH_INTERVAL);
        loop {
            ticks.tick().await;
            let text = if self.terminal {
                self.block(&statistics.counts())
            } else {
                self.new_events(&statistics.counts())
            };
            let mut out = std::io::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()?;
        }
    }

    fn block(&mut self, counts: &Counts) -> String {
        let mut lines = vec![String::new()];
        lines.extend(totals(counts));
        lines.extend([String::new(), heading()]);
        lines.extend(counts.endpoints.iter().map(row));
        lines.push(String::new());
        lines.extend(counts.events.iter().map(|(_, event)| format!("  · {event}")));
        let back = if self.drawn > 0 { format!("\x1b[{}A\x1b[J", self.drawn) } else { String::new() };
        self.drawn = lines.len();
        // Without wrapping, each of these lines is one line of the terminal, however narrow it is.
        format!("{back}\x1b[?7l{}\n\x1b[?7h", lines.join("\n"))
    }

    fn new_events(&mut self, counts: &Counts) -> String {
        let mut text = String::new();
        let shown = self.shown_events;
        for (number, event) in counts.events.iter().filter(|(number, _)| *number > shown) {
            self.shown_events = *number;
            text.push_str(event);
            text.push('\n');
        }
        if self.refreshes.is_multiple_of(REFRESHES_PER_COUNTS) {
            text.push_str(&totals(counts).join("   "));
            text.push('\n');
        }
        self.refreshes = self.refreshes.wrapping_add(1);
        text
    }
}

fn totals(counts: &Counts) -> [String; 2] {
    let sum = |count: fn(&EndpointCounts) -> u64| counts.endpoints.iter().map(count).sum::<u64>();
    let mut line = format!(
        "accepted {}   delivered {}   retries {}   dead letters {}   replays delivered {}",
        counts.accepted,
        sum(|endpoint| endpoint.delivered),
        sum(|endpoint| endpoint.retries),
        sum(|endpoint| endpoint.dead_letters),
        counts.replayed,
    );
    if counts.refused > 0 {
        // Writing to a string cannot fail.
        let _ = write!(line, "   posts failed {}", counts.refused);
    }
    [line, format!("signatures verified {}, wrong {}", counts.verified, counts.bad_signatures)]
}

fn heading() -> String {
    format!(
        "  {:<16}{:<16}{:>10}{:>10}{:>10}{:>14}",
        "endpoint", "", "delivered", "failed", "retries", "dead letters"
    )
}

fn row(endpoint: &EndpointCounts) -> String {
    let now = endpoint.behaviour.standing(endpoint.failing);
    format!(
        "  {:<16}{now:<16}{:>10}{:>10}{:>10}{:>14}",
        endpoint.name, endpoint.delivered, endpoint.failed, endpoint.retries, endpoint.dead_letters
    )
}

/// What is printed above the counts.
pub(super) fn introduction(api: &Api, tenants: &Tenants, config: &Config, link: &Url) -> String {
    let (server, token) = (api.server(), api.token());
    let database = if config.is_embedded() {
        format!("a private Postgres in {}", config.data_dir.display())
    } else {
        "the Postgres of DATABASE_URL".to_owned()
    };
    let waits: Vec<String> = config.retry_schedule.waits().iter().map(|wait| format!("{wait:?}")).collect();
    let names: Vec<&str> = tenants.iter().map(|tenant| tenant.uid).collect();
    format!(
        "
Postrider runs, with {database}.

  console (this link signs in, once, within 15 minutes)
         {link}

  API    {server}/api/v1
  docs   {server}/docs/
  token  {token}

Events flow to the tenants {tenants}.
A receiver on this machine verifies every signature with the crate standardwebhooks. One endpoint fails for a while and
recovers, and its dead letters are replayed; one never answers, one answers 503, one is gone and so disabled, and one is
paused: resume it in the console, and what it holds goes out. The endpoint `inbox` of acme is a test inbox of Postrider's own: the
console shows at it what a receiver gets.

To be watched, failed deliveries are retried after {waits}, and a request may take {timeout:?}; in production it is
60s,5m,30m,2h,6h,24h and 15s. Loopback addresses are let through only here.

Try, in another terminal:

curl -s -X POST {server}/api/v1/app/acme/msg -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' -d '{{\"eventType\":\"invoice.paid\",\"payload\":{{\"hello\":\"world\"}}}}'

curl -s '{server}/api/v1/app/acme/attempt/endpoint/orders?limit=1' -H 'Authorization: Bearer {token}'

curl -s '{server}/api/v1/dead-letter?state=open&limit=1' -H 'Authorization: Bearer {token}'

Ctrl-C stops everything.
",
        tenants = names.join(", "),
        waits = waits.join(", "),
        timeout = config.request_timeout,
    )
}
