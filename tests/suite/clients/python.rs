//! Other people's code in Python: the client library for the API, the library that receivers verify with, and what
//! judges the API's description.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::TestApp;
use crate::support::program::{finished, installed, ran};

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

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_library_works_unmodified() {
    let app = TestApp::start().await;
    let api = app.environment();
    let mut command = script("client.py");
    command.env("SERVER_URL", format!("http://{}", app.address())).env("TOKEN", api.token());
    finished(command).await;
    app.settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_tells_every_operation_in_full() {
    let specification = serde_json::to_string(&postrider::api::openapi()).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), specification).unwrap();
    let mut command = script("specification.py");
    command.stdin(Stdio::from(std::fs::File::open(file.path()).unwrap()));
    finished(command).await;
}
