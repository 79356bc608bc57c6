//! The console's back end: who may sign in, what it is shown from, and what its screens read after real deliveries.

pub mod browser;
mod endpoint;
mod event_types;
mod folding;
mod groups;
mod incidents;
mod oidc;
mod overview;
mod pages;
mod plans;
mod provider;
mod serving;
mod session;
mod sparklines;
