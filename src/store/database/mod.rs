//! The ground that the rooms stand on: connections with a limit on every wait, transactions, errors, sealing, the one kind
//! of cache.

pub(in crate::store) mod cache;
pub(in crate::store) mod connection;
pub(in crate::store) mod error;
pub(in crate::store) mod interval;
pub(in crate::store) mod limits;
pub(in crate::store) mod migrate;
pub(in crate::store) mod opener;
pub(in crate::store) mod pool;
pub(in crate::store) mod seal;
pub(in crate::store) mod span;
pub(in crate::store) mod transaction;

use sqlx::postgres::PgConnectOptions;

/// The database as a whole: its schema.
#[derive(Clone)]
pub struct Database {
    pub(super) options: PgConnectOptions,
}
