//! What happens now, for those who watch: whose it is, and what is told of it.

pub mod report;
pub mod sample;
pub mod scope;
