//! The data of a new Postgres. `initdb` makes them once for a version; all others are copies, which take a tenth of the time.

use std::fs::{File, create_dir_all, rename};
use std::path::{Path, PathBuf};
use std::process::Command;

const OPTIONS: [&str; 8] = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];

/// Makes `data`, which is not there yet. `initdb` gives the command, run as the account that the server will have.
pub(super) fn make(data: &Path, initdb: impl Fn() -> Command) {
    let template = template(&initdb);
    create_dir_all(template.parent().unwrap()).unwrap();
    let lock = File::create(template.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    if template.exists() {
        drop(lock);
        return copy(&template, data);
    }
    let made = initdb().args(OPTIONS).arg("-D").arg(data).output().unwrap();
    assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    // A copy that was broken off is not taken for a whole one.
    let part = template.with_extension("part");
    std::fs::remove_dir_all(&part).ok();
    copy(data, &part);
    rename(part, template).unwrap();
}

/// Below the directory for what tests build, which outlives them.
fn template(initdb: &impl Fn() -> Command) -> PathBuf {
    let version = initdb().arg("--version").output().unwrap().stdout;
    let named: String = String::from_utf8_lossy(&version)
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' })
        .collect();
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("fresh-data").join(named.trim_matches('-'))
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-Rp").args([from, to]).output().unwrap();
    assert!(copied.status.success(), "cp: {}", String::from_utf8_lossy(&copied.stderr));
}
