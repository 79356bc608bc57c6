//! The back end of the console and of the portal: who may sign in, what screens read, what is tried out and watched, with
//! the real thing.

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
