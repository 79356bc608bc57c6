//! Other people's code: the Python client library for the API, and the Python library that receivers verify with.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::TestApp;

const PACKAGES: [&str; 2] = ["svix==2.9.*", "standardwebhooks==1.1.*"];

/// Python with the packages, installed once below `target/`.
fn python() -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let python = place.join("bin/python");
    let done = place.join("installed");
    let wanted = PACKAGES.join("\n");
    // One process installs at a time; the others wait for it.
    std::fs::create_dir_all(&place).unwrap();
    let lock = std::fs::File::create(place.join("lock")).unwrap();
    lock.lock().unwrap();
    if std::fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return python;
    }
    run(
        Command::new("python3").args(["-m", "venv"]).arg(&place),
        "python3 with its venv module (Debian: python3-venv)",
    );
    run(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(PACKAGES),
        "pip, and a package index that it can reach",
    );
    std::fs::write(done, wanted).unwrap();
    python
}

fn run(command: &mut Command, needs: &str) {
    let output = command.output().unwrap_or_else(|error| panic!("this test needs {needs}: {error}"));
    assert!(
        output.status.success(),
        "this test needs {needs}; {command:?} said:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_library_works_unmodified() {
    let app = TestApp::start().await;
    let api = app.environment();
    let (server, token) = (format!("http://{}", app.address()), api.token().to_owned());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/client.py");
    let walked = tokio::task::spawn_blocking(move || {
        Command::new(python()).arg(script).env("SERVER_URL", server).env("TOKEN", token).output().unwrap()
    });
    let output = walked.await.unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    app.settled().await;
}
