//! What the console's screens read: against the real thing, after real deliveries.

mod attempts;
mod deliveries;
mod endpoint;
mod event_types;
mod folding;
mod groups;
mod incidents;
mod message_search;
mod overview;
mod plans;
mod replay;
mod search;
mod secrets;
mod sparklines;
