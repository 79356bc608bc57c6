//! The benchmark: a load generator and a receiver in one process, against a release build of Postrider on its own
//! private Postgres, fsync on. Every case stands beside its ceilings: the same bodies straight to the receiver. It fails
//! when a message is lost or a signature is wrong, never because it was slow.
//!
//! `cargo bench --bench load` runs all cases but `life`, `console` and `pace`, which take long and have to be named; `-- --case one_endpoint
//! --seconds 10` one of them; `--server URL --token TOKEN` drives any server that speaks this API.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a program for the terminal, not part of the product: it may stop with a panic"
)]

mod api;
mod backlog;
mod cases;
mod ceiling;
mod client;
mod console;
mod evaluate;
mod isolation;
mod life;
mod machine;
mod measure;
mod pace;
mod post;
mod receiver;
mod report;
mod seed;
mod takeover;
mod target;

use clap::Parser;

use report::Report;

/// What to run, and against what.
#[derive(Debug, Parser)]
pub struct Options {
    /// Run only these cases (by name, repeatable); all of them otherwise.
    #[arg(long = "case")]
    pub cases: Vec<String>,
    /// How long a closed-loop case runs.
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Connections of a closed-loop case.
    #[arg(long, default_value_t = 64)]
    pub connections: usize,
    /// Bytes of filler in each payload.
    #[arg(long, default_value_t = 512)]
    pub filler: usize,
    /// Deliveries of the backlog case.
    #[arg(long, default_value_t = 1_000_000)]
    pub backlog: u64,
    /// Deliveries of the life case.
    #[arg(long, default_value_t = 10_000_000)]
    pub life: u64,
    /// Attempts that the console case seeds its database with.
    #[arg(long, default_value_t = 10_000_000)]
    pub attempts: u64,
    /// Drive this server instead of starting one.
    #[arg(long)]
    pub server: Option<String>,
    /// An environment's token for `--server`.
    #[arg(long, requires = "server")]
    pub token: Option<String>,
    /// The release build of Postrider to start.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_postrider"))]
    pub binary: String,
    /// Write the results to this file as Markdown, too.
    #[arg(long)]
    pub markdown: Option<std::path::PathBuf>,
    /// Passed by cargo; means nothing here.
    #[arg(long, hide = true)]
    pub bench: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut report = Report::new();
    cases::run_all(&options, &mut report).await?;
    report.finish(options.markdown.as_deref())
}
