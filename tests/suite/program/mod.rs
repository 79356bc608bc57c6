//! The program, as people start it.

mod beside;
mod cli;
mod database;
mod dev;
mod doctor;
mod machine;
mod main_secret;
mod pgbouncer;
mod remote;
mod settings;
mod shell;
