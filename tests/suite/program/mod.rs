//! The program, as people start it.

mod cli;
mod dev;
mod machine;
