//! What an operator sees of a process: metrics, logs.

mod metrics;
mod requests;
mod rules;
mod scrape;
