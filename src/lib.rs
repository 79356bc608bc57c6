//! Postrider sends webhooks: it stores events in Postgres, signs them, delivers them, retries them on a schedule
//! and keeps what could not be delivered as dead letters that can be replayed.
//!
//! The modules are listed in the order of the flow; `ARCHITECTURE.md` draws it.

pub mod batch;
pub mod cli;
pub mod config;
pub mod domain;
pub mod telemetry;

pub mod api;
pub mod console;
pub mod ingest;
pub mod openid;
pub mod store;

pub mod lease;

pub mod dispatch;
pub mod send;
pub mod sending_threads;
pub mod sign;

pub mod record;
pub mod rollup;

pub mod alerts;
pub mod background_tasks;
pub mod operational;

pub mod embedded;
pub mod engine;
pub mod inbox;
pub mod keyed_limit;
pub mod listener;
pub mod live;
pub mod maintenance;
pub mod node_health;
pub mod notices;
pub mod rescue;
pub mod server;
