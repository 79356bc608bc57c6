//! What all operations have in common: what they take out of a request and within which bounds, how they answer, page and
//! fail, and what a caller may repeat.

pub(in crate::api) mod asked;
pub mod bounded_document;
pub mod bounds;
pub(in crate::api) mod caller;
pub(in crate::api) mod capped;
pub(in crate::api) mod environment;
pub mod extract;
pub mod idempotency;
pub mod in_force;
pub mod moment;
pub mod not_served;
pub mod page;
pub mod parameters;
pub(in crate::api) mod path;
pub(in crate::api) mod settings;
pub mod take_in;
pub(in crate::api) mod target;
pub mod validate;
