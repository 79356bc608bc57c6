//! The only module that names sqlx: one file an aggregate, and the queue.
//!
//! Every function is one statement or one transaction, and every statement starts with a comment that names it
//! (`-- delivery::settle`). Due times are the database's clock. Lock order: `node_fence`, then `pending`, then
//! `delivery`, then `dead_letter`; within a table by `(message_id, endpoint_id)`.

mod application;
mod configuration;
mod connect;
mod environment;
mod error;
mod migrate;
mod seal;

pub use application::{ApplicationRecord, ApplicationSettings};
pub use connect::{Store, StoreOptions};
pub use error::StoreError;
pub use migrate::MigrateError;
pub use seal::Sealer;
