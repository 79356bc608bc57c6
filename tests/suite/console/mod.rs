//! The console: who may sign in to it, how it is served, and what its screens read after real deliveries.

mod attempts;
mod deliveries;
mod endpoint;
mod endpoint_check;
mod event_types;
mod folding;
mod groups;
mod incidents;
mod live;
mod look;
mod message_search;
mod overview;
mod plans;
mod replay;
mod search;
mod secrets;
mod serving;
pub mod sign_in;
mod sparklines;
mod stories;
pub mod watcher;
