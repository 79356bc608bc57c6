//! The console: who may sign in to it, how it is served, and what its screens read after real deliveries.

mod attempts;
pub mod browser;
mod deliveries;
mod endpoint;
mod event_types;
mod folding;
mod groups;
mod incidents;
mod message_search;
mod oidc;
mod overview;
mod pages;
mod plans;
mod provider;
mod replay;
mod search;
mod secrets;
mod serving;
mod session;
mod sparklines;
mod stories;
