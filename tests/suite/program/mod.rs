//! The program, as people start it.

pub mod cli;
mod dev;
