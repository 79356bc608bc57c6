//! What the terminal shows: a block that is refreshed in place, or, where there is no terminal, plain lines.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use url::Url;

use crate::config::Config;

use super::api::Api;
use super::tally::{Counts, Manner, Seen, Tally};
use super::tenants::Tenants;

const REFRESH_EVERY: Duration = Duration::from_millis(500);
/// Without a terminal, the counts are printed with every so many refreshes.
const COUNTS_EVERY: u32 = 10;

pub(super) struct Screen {
    terminal: bool,
    /// How many lines of the last block stand on the terminal.
    drawn: usize,
    told: u64,
    refreshes: u32,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self { terminal: std::io::stdout().is_terminal(), drawn: 0, told: 0, refreshes: 0 }
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
    pub(super) async fn follow(&mut self, tally: &Tally) -> anyhow::Result<()> {
        let mut ticks = tokio::time::interval(REFRESH_EVERY);
        loop {
            ticks.tick().await;
            let text = if self.terminal { self.block(&tally.counts()) } else { self.news(&tally.counts()) };
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
        lines.extend(counts.news.iter().map(|(_, news)| format!("  · {news}")));
        let back = if self.drawn > 0 { format!("\x1b[{}A\x1b[J", self.drawn) } else { String::new() };
        self.drawn = lines.len();
        // Without wrapping, a line of ours is a line of the terminal's, however narrow it is.
        format!("{back}\x1b[?7l{}\n\x1b[?7h", lines.join("\n"))
    }

    fn news(&mut self, counts: &Counts) -> String {
        let mut text = String::new();
        let told = self.told;
        for (number, news) in counts.news.iter().filter(|(number, _)| *number > told) {
            self.told = *number;
            text.push_str(news);
            text.push('\n');
        }
        if self.refreshes.is_multiple_of(COUNTS_EVERY) {
            text.push_str(&totals(counts).join("   "));
            text.push('\n');
        }
        self.refreshes = self.refreshes.wrapping_add(1);
        text
    }
}

fn totals(counts: &Counts) -> [String; 2] {
    let sum = |count: fn(&Seen) -> u64| counts.endpoints.iter().map(count).sum::<u64>();
    let mut way = format!(
        "accepted {}   delivered {}   retries {}   dead letters {}   replays delivered {}",
        counts.accepted,
        sum(|seen| seen.delivered),
        sum(|seen| seen.retries),
        sum(|seen| seen.dead_letters),
        counts.replayed,
    );
    if counts.refused > 0 {
        // Writing to a string cannot fail.
        let _ = write!(way, "   posts failed {}", counts.refused);
    }
    [way, format!("signatures verified {}, wrong {}", counts.verified, counts.forged)]
}

fn heading() -> String {
    format!(
        "  {:<16}{:<16}{:>10}{:>10}{:>10}{:>14}",
        "endpoint", "", "delivered", "failed", "retries", "dead letters"
    )
}

fn row(seen: &Seen) -> String {
    let now = match (seen.manner, seen.failing) {
        (Manner::Works, _) => "works",
        (Manner::Flaky, true) => "fails just now",
        (Manner::Flaky, false) => "works again",
        (Manner::Silent, _) => "never answers",
    };
    format!(
        "  {:<16}{now:<16}{:>10}{:>10}{:>10}{:>14}",
        seen.name, seen.delivered, seen.failed, seen.retries, seen.dead_letters
    )
}

/// What stands above the counts.
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

  sign in to the console, once, within 15 minutes:
         {link}

  API    {server}/api/v1
  docs   {server}/docs
  token  {token}

Events flow to the tenants {tenants}. A receiver on this machine verifies every signature with the crate
standardwebhooks. One endpoint fails for a while and recovers, and its dead letters are replayed; one never answers.
To be watched, failed deliveries are retried after {waits}, and a request may take {timeout:?}; in production
it is 60s,5m,30m,2h,6h,24h and 15s. Loopback addresses are let through only here.

Try, in another terminal:

curl -s -X POST {server}/api/v1/app/acme/msg -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' -d '{{\"eventType\":\"invoice.paid\",\"payload\":{{\"hello\":\"world\"}}}}'

curl -s '{server}/api/v1/app/acme/attempt/endpoint/orders?limit=1' -H 'Authorization: Bearer {token}'

curl -s '{server}/api/v1/dead-letter?state=open&limit=1' -H 'Authorization: Bearer {token}'

Ctrl-C stops everything.
",
        tenants = names.join(" and "),
        waits = waits.join(", "),
        timeout = config.request_timeout,
    )
}
