//! Other people's software, unmodified: client libraries, verifiers, a browser.

mod browser;
mod libraries;
mod python;
mod snippets;
