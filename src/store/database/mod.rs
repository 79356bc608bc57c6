//! The ground that the rooms stand on: connections with a limit on every wait, transactions, errors, sealing, the one kind
//! of cache.

pub(super) mod cache;
pub(super) mod capped;
pub(super) mod connection;
pub(super) mod error;
pub(super) mod interval;
pub(super) mod limits;
mod measured;
pub(super) mod migrate;
mod opener;
pub(super) mod pool;
pub(super) mod seal;
pub(super) mod session_settings;
pub(super) mod span;
pub(super) mod stored_policy;
mod transaction;
pub(super) mod unusable;

use sqlx::postgres::PgConnectOptions;

/// The database as a whole: its schema.
#[derive(Clone)]
pub struct Database {
    pub(super) options: PgConnectOptions,
}
