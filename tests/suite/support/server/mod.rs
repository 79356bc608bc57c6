//! Servers to test: the real program, started as in production, or the same node in the test's own process.

mod address;
mod app;
mod local;
mod process;
mod setup;

pub use address::free_address;
pub use app::{App, LocalApp, TestApp};
pub use process::{Node, command};
pub use setup::Setup;

use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A node of a test.
pub trait Served {
    /// The environment that it was started with.
    fn variables(&self) -> &BTreeMap<String, String>;

    /// Where its API listens.
    fn address(&self) -> String;

    /// Everything that it has logged.
    fn log(&self) -> String;

    /// Ends it at once, as a crash does.
    fn end(&mut self);
}

/// Shows how a failed test's node ended.
fn print_end_of_log(address: SocketAddr, log: &str) {
    let lines: Vec<&str> = log.lines().collect();
    eprintln!("--- the log of {address} (its last lines)");
    for line in &lines[lines.len().saturating_sub(80)..] {
        eprintln!("{line}");
    }
}
