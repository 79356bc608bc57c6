//! What views read instead of messages, deliveries and attempts: counts and histograms of latencies by steps of time, and
//! what counts as an incident.

pub mod closure;
pub mod health;
pub mod histogram;
pub mod incident;
pub mod node_state;
pub mod range;
pub mod tally;
