//! The console's back end: who may sign in, and what its screens read, against the real thing, after real deliveries.

mod endpoint;
mod event_types;
mod folding;
mod groups;
mod incidents;
mod overview;
mod plans;
mod sparklines;
pub mod browser;
mod oidc;
mod serving;
mod session;
