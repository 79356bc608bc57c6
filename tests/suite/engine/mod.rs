//! What becomes of messages: their bytes, retries, pauses, crashes, several nodes.

mod bytes;
mod crash;
mod delivery;
mod disable;
mod lease;
mod operational;
mod pause;
mod policies;
mod recover;
mod rollups;
mod schedule;
mod timeout;
mod told;
mod two_nodes;
