//! The API's own description, derived from the code.

pub mod docs;
pub mod errors;
pub mod examples;
pub(in crate::api) mod settings;
