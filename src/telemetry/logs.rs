//! Logs. Text for people on a terminal, one JSON object a line elsewhere, both on standard error. Payloads, secrets
//! and tokens are never put into a log: nothing here would remove them. `docs/logs.md` says which fields there are.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Libraries that log too much at the level `info`; the operator's filter can change it.
const QUIET_LIBRARIES: &str = "tokio_cron_scheduler=warn";

/// How logs look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How logs look, and how much of them.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// How they look.
    pub format: LogFormat,
    /// What is logged, in the syntax of `tracing`'s `EnvFilter`.
    pub filter: String,
}

/// A log that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter does not parse; the configuration checks it before.
    #[error("the log filter is not valid")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
}

/// Starts the log of this process, and tells what was given and is ignored. Where one is running already (tests), that one
/// stays.
///
/// # Errors
/// [`TelemetryError::Filter`] when the filter does not parse.
pub fn start(options: &LogOptions, warnings: &[String]) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(format!("{QUIET_LIBRARIES},{}", options.filter))?;
    let on_terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let text = match options.format {
        LogFormat::Auto => on_terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    // An error here means that a log is running, which is all that was wanted.
    let _ = if text {
        builder.with_ansi(on_terminal).with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).with_current_span(false).try_init()
    };
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    Ok(())
}
