//! What an operator sees of a process: metrics, logs, traces.

mod metrics;
mod requests;
mod rules;
pub mod scrape;
mod traces;
