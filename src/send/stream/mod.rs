//! What a connection runs over, from below: the socket, and what is counted and followed of the bytes on it.

mod frame_cost;
mod frames;
pub(in crate::send) mod metered;
pub(in crate::send) mod socket;
