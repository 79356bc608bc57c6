//! The console: who may sign in to it, how it is served, and what its screens read after real deliveries.

pub mod browser;
mod check;
mod customer;
mod endpoint;
mod event_types;
mod folding;
mod groups;
mod inbox;
mod incidents;
mod live;
mod look;
mod oidc;
mod overview;
mod pages;
mod plans;
mod provider;
mod serving;
mod session;
mod signature;
mod sparklines;
mod watcher;
