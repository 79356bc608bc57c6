//! What the API promises, resource by resource.

mod access;
mod admin;
mod application;
mod audit;
mod cancel;
mod connection;
mod cors;
mod dead_letter;
mod delivery_status;
mod endpoint;
mod event_type;
mod event_type_import;
mod example;
mod idempotency;
mod message;
mod pages;
mod settings;
mod statistics;
mod url_credentials;
mod validation;
