//! What an operator sees of a process: metrics, logs, traces.

mod metrics;
mod requests;
mod rules;
pub(crate) mod scrape;
mod traces;
