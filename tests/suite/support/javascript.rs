//! Node, with the packages of a folder below `tests/`, installed once below `target/` from its lock file.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::program::{installed, ran};

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

/// A script of `tests/<folder>`, which finds the folder's packages.
pub fn node(folder: &str, script: &str) -> Command {
    let place = packages(folder);
    let mut command = Command::new("node");
    command.arg(Path::new(TESTS).join(folder).join(script)).env("NODE_PATH", place.join("node_modules"));
    command
}

/// Where the packages of `tests/<folder>` are installed.
pub fn packages(folder: &str) -> PathBuf {
    let source = Path::new(TESTS).join(folder);
    let lock = source.join("package-lock.json");
    let wanted = std::fs::read_to_string(&lock).unwrap();
    installed(folder, &wanted, |place| {
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(source.join(file), place.join(file)).unwrap();
        }
        let mut install = Command::new("npm");
        install.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(place);
        ran(&mut install, "Node 20 with npm (Debian: nodejs, npm), and a package registry that it can reach");
    })
}
