//! The results: a JSON line a case, and a table at the end.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::machine;
use crate::measure::Summary;

/// What a case came to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Outcome {
    /// Its name.
    pub case: String,
    /// Messages answered 202 a second.
    pub accepted_per_second: f64,
    /// Deliveries answered 2xx a second.
    pub delivered_per_second: f64,
    /// Deliveries a second, as a share of `raw` in the same run.
    pub times_raw: f64,
    /// The same as a share of what a common client does.
    pub times_common: f64,
    /// From POST to 202.
    pub accept: Summary,
    /// From POST to the receiver.
    pub end_to_end: Summary,
    /// Deliveries that should have come and did not.
    pub missing: u64,
    /// Deliveries that came more than once.
    pub duplicates: u64,
    /// Requests whose signature did not verify.
    pub bad_signatures: u64,
    /// SQL statements a message.
    pub statements_per_message: Option<f64>,
    /// WAL bytes a message.
    pub wal_bytes_per_message: Option<f64>,
    /// Share of updates of `delivery` that stayed in place.
    pub hot_share: Option<f64>,
    /// CPU seconds of Postrider and of Postgres.
    pub cpu_postrider: f64,
    /// CPU seconds of Postgres.
    pub cpu_postgres: f64,
    /// Peak memory of Postrider.
    pub peak_rss_mb: f64,
    /// What else there is to say.
    pub note: String,
}

/// All results so far.
pub struct Report {
    outcomes: Vec<Outcome>,
    /// Requests a second without a sender in between.
    pub raw: f64,
    /// The same by a common client.
    pub common: f64,
}

impl Report {
    /// None yet.
    pub fn new() -> Self {
        Self { outcomes: Vec::new(), raw: 0.0, common: 0.0 }
    }

    /// Adds a case and prints its line.
    pub fn add(&mut self, mut outcome: Outcome) -> anyhow::Result<()> {
        if self.raw > 0.0 {
            outcome.times_raw = outcome.delivered_per_second / self.raw;
        }
        if self.common > 0.0 {
            outcome.times_common = outcome.delivered_per_second / self.common;
        }
        println!("{}", serde_json::to_string(&outcome)?);
        self.outcomes.push(outcome);
        Ok(())
    }

    /// Prints the table and fails if anything was lost or wrongly signed.
    pub fn finish(self, markdown: Option<&Path>) -> anyhow::Result<()> {
        let mut table = format!("{}\n\n", machine::description());
        table.push_str("| case | accepted/s | delivered/s | × raw | × common | accept p50 / p99 ms | end to end p50 / p99 / max ms | missing | dup. | bad sig. | SQL/msg | WAL B/msg | HOT | CPU s (us / pg) | RSS MB | |\n");
        table.push_str("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n");
        for o in &self.outcomes {
            let optional = |value: Option<f64>, digits: usize| {
                value.map_or("–".to_owned(), |v| format!("{v:.digits$}"))
            };
            writeln!(
                table,
                "| {} | {:.0} | {:.0} | {:.3} | {:.3} | {:.2} / {:.2} | {:.2} / {:.2} / {:.1} | {} | {} | {} | {} | {} | {} | {:.1} / {:.1} | {:.0} | {} |",
                o.case,
                o.accepted_per_second,
                o.delivered_per_second,
                o.times_raw,
                o.times_common,
                o.accept.p50_ms,
                o.accept.p99_ms,
                o.end_to_end.p50_ms,
                o.end_to_end.p99_ms,
                o.end_to_end.max_ms,
                o.missing,
                o.duplicates,
                o.bad_signatures,
                optional(o.statements_per_message, 3),
                optional(o.wal_bytes_per_message, 0),
                optional(o.hot_share, 3),
                o.cpu_postrider,
                o.cpu_postgres,
                o.peak_rss_mb,
                o.note,
            )?;
        }
        println!("\n{table}");
        if let Some(path) = markdown {
            std::fs::write(path, &table)?;
        }
        let wrong: Vec<&str> = self
            .outcomes
            .iter()
            .filter(|outcome| outcome.missing > 0 || outcome.bad_signatures > 0)
            .map(|outcome| outcome.case.as_str())
            .collect();
        anyhow::ensure!(wrong.is_empty(), "messages were lost or wrongly signed: {wrong:?}");
        Ok(())
    }
}
