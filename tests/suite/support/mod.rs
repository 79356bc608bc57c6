//! What the tests stand on.

pub mod api;
pub mod clock;
pub mod cluster;
pub mod elsewhere;
pub mod neighbour;
pub mod postgres;
pub mod program;
pub mod proxy;
pub mod receiver;
pub mod server;
pub mod tenant;
pub mod until;
pub mod wanted;

pub use api::Api;
pub use elsewhere::Elsewhere;
pub use neighbour::{Neighbour, Turns};
pub use postgres::Database;
pub use receiver::{Receiver, Reply};
pub use server::{Node, Setup, TestApp};
pub use tenant::Tenant;
pub use until::until;
