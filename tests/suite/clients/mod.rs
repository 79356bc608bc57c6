//! Other people's software, unmodified: client libraries, verifiers, a browser.

mod browser;
pub mod javascript;
mod libraries;
pub mod python;
