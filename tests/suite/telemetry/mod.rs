//! What an operator sees of a process: metrics, logs, traces.

mod metrics;
mod requests;
mod rules;
mod scrape;
mod traces;
