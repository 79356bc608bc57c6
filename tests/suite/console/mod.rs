//! The console's back end: who may sign in, what it is shown from.

pub mod browser;
mod oidc;
mod pages;
mod provider;
mod serving;
mod session;
