//! What the tests stand on.

pub mod api;
pub mod clock;
pub mod cluster;
pub mod data_dir;
pub mod elsewhere;
mod fresh_data;
pub mod javascript;
pub mod neighbour;
pub mod plans;
pub mod postgres;
pub mod posting;
pub mod program;
pub mod proxy;
pub mod python;
pub mod queue;
pub mod receiver;
pub mod server;
pub mod small_disk;
pub mod store;
pub mod tenant;
pub mod until;
pub mod wanted;

pub use api::Api;
pub use elsewhere::Elsewhere;
pub use neighbour::{Neighbour, Turns};
pub use postgres::Database;
pub use receiver::{Receiver, Reply};
pub use server::{App, LocalApp, Node, Served, Setup, TestApp};
pub use tenant::Tenant;
pub use until::until;
