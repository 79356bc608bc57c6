//! The log of the private Postgres, `postgres.log`. It tells of starts, stops and trouble, and not of each statement that was
//! refused, which Postrider itself is told. So it grows by some megabytes a year; one that is larger makes way at a start.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Read, Result, Seek, SeekFrom};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// What Postgres is told to write: nothing that callers of the API can bring about.
pub(super) const SETTINGS: [&str; 2] = ["log_min_messages=log", "log_min_error_statement=panic"];
/// A log that is larger is kept as `postgres.log.old`, in place of the one before.
const MOST_BYTES: u64 = 16 << 20;
/// So much of its end is looked at after a start that failed.
const TAIL_BYTES: u64 = 64 << 10;
const TAIL_LINES: usize = 5;
const MODE: u32 = 0o600;

/// Opens it to be written on.
pub(super) fn open(path: &Path) -> Result<File> {
    if fs::metadata(path).is_ok_and(|found| found.len() > MOST_BYTES) {
        fs::rename(path, path.with_extension("log.old"))?;
    }
    let file = OpenOptions::new().create(true).append(true).mode(MODE).open(path)?;
    file.set_permissions(Permissions::from_mode(MODE))?;
    Ok(file)
}

/// Its last lines.
pub(super) fn tail(path: &Path) -> Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut end = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut end)?;
    let text = String::from_utf8_lossy(&end);
    let lines: Vec<&str> = text.lines().collect();
    Ok(lines.get(lines.len().saturating_sub(TAIL_LINES)..).unwrap_or_default().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_log_makes_way_and_others_may_not_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("postgres.log");
        fs::write(&path, "one\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(tail(&path).unwrap(), "one");

        File::options().write(true).open(&path).unwrap().set_len(MOST_BYTES + 1).unwrap();
        open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        assert_eq!(fs::metadata(directory.path().join("postgres.log.old")).unwrap().len(), MOST_BYTES + 1);
    }

    #[test]
    fn the_end_of_a_log_is_its_last_lines() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("postgres.log");
        let lines: Vec<String> = (0..20_000).map(|number| format!("line {number}")).collect();
        fs::write(&path, lines.join("\n")).unwrap();
        assert_eq!(tail(&path).unwrap(), lines[19_995..].join("\n"));
    }
}
