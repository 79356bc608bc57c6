//! Programs in other languages, and what they need, installed once below `target/`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder that `install` has filled with what is `wanted`. Filled anew when that changes. One process fills it at a
/// time; the others wait.
pub fn installed(name: &str, wanted: &str, install: impl FnOnce(&Path)) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let done = place.join("installed");
    std::fs::create_dir_all(&place).unwrap();
    let lock = std::fs::File::create(place.join("lock")).unwrap();
    lock.lock().unwrap();
    if !std::fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        install(&place);
        std::fs::write(done, wanted).unwrap();
    }
    place
}

/// Runs a command that must succeed.
pub fn ran(command: &mut Command, needs: &str) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("this test needs {needs}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "this test needs {needs}; {command:?} said:\n{said}{wrong}");
    said
}

/// Runs a command that must succeed, away from the threads of the test. Returns what it printed.
pub async fn finished(mut command: Command) -> String {
    let running = tokio::task::spawn_blocking(move || ran(&mut command, "what it says to hold"));
    running.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
