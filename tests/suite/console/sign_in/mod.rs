//! Who may sign in to the console, and how.

pub mod browser;
mod oidc;
mod pages;
mod provider;
pub mod session;
