//! Python, with the packages of `tests/python`, installed once below `target/`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::program::{installed, ran};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python");

/// Python with the packages, installed once below `target/`.
pub fn python() -> PathBuf {
    let requirements = Path::new(FOLDER).join("requirements.txt");
    let wanted = std::fs::read_to_string(&requirements).unwrap();
    let place = installed("python", &wanted, |place| {
        ran(
            Command::new("python3").args(["-m", "venv"]).arg(place),
            "python3 with its venv module (Debian: python3-venv)",
        );
        ran(
            Command::new(place.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
                .arg(&requirements),
            "pip, and a package index that it can reach",
        );
    });
    place.join("bin/python")
}

/// A script of `tests/python`.
pub fn script(name: &str) -> Command {
    let mut command = Command::new(python());
    command.arg(Path::new(FOLDER).join(name)).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}
