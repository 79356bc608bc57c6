//! The program, as people start it.

mod beside;
mod cells;
mod cli;
mod configuration;
mod database;
mod dev;
mod doctor;
mod machine;
mod main_secret;
mod managed;
mod pgbouncer;
mod remote;
mod settings;
mod shell;
