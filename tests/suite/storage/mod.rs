//! What the database does: the plans of its statements, partitions, and the end of what is over.

pub mod maintenance;
mod names;
pub mod plans;
mod upkeep;
