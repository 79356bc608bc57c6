//! What a request may take: the credential before the body, budgets of bytes, deadlines.

pub mod answer;
pub(in crate::api) mod blocking;
pub mod body;
pub(in crate::api) mod body_sender;
pub mod budget;
mod bytes;
pub mod connection;
pub mod content_page;
pub mod large_body;
pub mod limits;
mod page_turns;
