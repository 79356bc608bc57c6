//! Node, with the packages of a folder below `tests/`, installed once below `target/` from its lock file.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::program::{installed, ran};

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

/// The packages of `tests/<folder>`, as `NODE_PATH` names them.
pub fn packages(folder: &str) -> PathBuf {
    let source = Path::new(TESTS).join(folder);
    let wanted = std::fs::read_to_string(source.join("package-lock.json")).unwrap();
    let place = installed(folder, &wanted, |place| {
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(source.join(file), place.join(file)).unwrap();
        }
        let mut install = Command::new("npm");
        install.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(place);
        ran(&mut install, "Node 20 with npm (Debian: nodejs, npm), and a package registry that it can reach");
    });
    place.join("node_modules")
}

/// A script of `tests/<folder>`, which finds the folder's packages.
pub fn node(folder: &str, script: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(Path::new(TESTS).join(folder).join(script)).env("NODE_PATH", packages(folder));
    command
}
