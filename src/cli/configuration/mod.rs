//! Configuration as code: an environment as a file that can be read, kept under version control, compared and imported
//! again, here or elsewhere.
//!
//! `postrider export` reads a server (`fetch`) and writes a file (`file`). `postrider import` reads a file, reads the server,
//! plans what has to be done (`plan`), does it (`apply`) and tells it (`report`). `postrider import svix` plans from what
//! another server has. Everything goes through the API, so that its validation and its audit log apply.

mod alert;
mod apply;
mod carry_out;
mod environment;
mod export;
mod fetch;
mod file;
mod first_rules;
mod import;
mod kind;
mod look;
mod plain_settings;
mod plan;
mod report;
mod secrets;
mod svix;

pub(super) use export::Export;
pub(super) use import::Import;
