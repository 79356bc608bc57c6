//! The cluster on disk: made in another directory and renamed when it is complete, so that a first start that was cut
//! short leaves nothing that looks like a cluster.

use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::account::Account;
use super::log_file;
use super::programs::Programs;
use super::{EmbeddedError, socket};

/// Bounds of the private Postgres's `shared_buffers`.
const MIN_SHARED_BUFFERS_MB: u64 = 128;
const MAX_SHARED_BUFFERS_MB: u64 = 1024;

/// A cluster that can be started.
#[derive(Debug)]
pub(super) struct Cluster {
    /// What Postgres calls its data directory.
    pub(super) directory: PathBuf,
    pub(super) socket_dir: PathBuf,
    /// Where Postgres logs to.
    pub(super) log: PathBuf,
}

/// The major version of the cluster in a data directory, if there is one.
pub(super) fn version(data_dir: &Path) -> Result<Option<String>, EmbeddedError> {
    let path = data_dir.join("postgres/PG_VERSION");
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EmbeddedError::io("cannot read", &path, error)),
    }
}

impl Cluster {
    /// The cluster of a data directory, made if it is not there.
    pub(super) fn open(
        data_dir: &Path,
        programs: &Programs,
        account: &Account,
    ) -> Result<Self, EmbeddedError> {
        let directory = data_dir.join("postgres");
        if !directory.join("PG_VERSION").is_file() {
            make(data_dir, &directory, programs, account)?;
        }
        let socket_dir = socket::directory(data_dir);
        socket::make(&socket_dir, account)?;
        Ok(Self { directory, socket_dir, log: data_dir.join("postgres.log") })
    }

    /// What the server is started with.
    pub(super) fn settings(&self, programs: &Programs, account: &Account) -> Vec<String> {
        let compression =
            if programs.accepts(account, &self.directory, "wal_compression", "lz4") { "lz4" } else { "on" };
        let mut settings = vec![
            "listen_addresses=".to_owned(),
            format!(
                "unix_socket_directories=\"{}\"",
                self.socket_dir.display().to_string().replace('"', "\"\"")
            ),
            "unix_socket_permissions=0700".to_owned(),
            "port=5432".to_owned(),
            "fsync=on".to_owned(),
            "full_page_writes=on".to_owned(),
            "max_connections=120".to_owned(),
            format!("shared_buffers={}MB", shared_buffers_mb(memory_mb())),
            "max_wal_size=8GB".to_owned(),
            "checkpoint_timeout=15min".to_owned(),
            // Rows of the queue are dead within seconds; vacuumed once a minute, it would keep the dead rows of a minute.
            "autovacuum_naptime=10s".to_owned(),
            // The usual three would all be busy with the tables of a day's messages, deliveries and attempts.
            "autovacuum_max_workers=6".to_owned(),
            format!("wal_compression={compression}"),
            "idle_in_transaction_session_timeout=60s".to_owned(),
            "timezone=UTC".to_owned(),
            "log_timezone=UTC".to_owned(),
        ];
        settings.extend(log_file::SETTINGS.map(str::to_owned));
        if programs.has_library("pg_stat_statements") {
            settings.push("shared_preload_libraries=pg_stat_statements".to_owned());
        }
        settings
    }
}

/// A quarter of the machine's memory, as is usual, within bounds: it shares the machine with Postrider, and what is
/// due of a large backlog should not have to be read from disk.
fn shared_buffers_mb(memory_mb: Option<u64>) -> u64 {
    memory_mb.map_or(MIN_SHARED_BUFFERS_MB, |memory| {
        (memory / 4).clamp(MIN_SHARED_BUFFERS_MB, MAX_SHARED_BUFFERS_MB)
    })
}

/// The machine's memory, or the container's if that is less, where Linux tells.
fn memory_mb() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let kib = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.trim().strip_suffix(" kB")?;
    let machine = kib.trim().parse::<u64>().ok()? / 1024;
    let container = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let container = container.and_then(|bytes| bytes.trim().parse::<u64>().ok()).map(|bytes| bytes >> 20);
    Some(container.map_or(machine, |container| container.min(machine)))
}

fn make(data_dir: &Path, place: &Path, programs: &Programs, account: &Account) -> Result<(), EmbeddedError> {
    let fresh = data_dir.join("postgres.new");
    let failed = |error| EmbeddedError::io("cannot make", &fresh, error);
    match fs::remove_dir_all(&fresh) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    DirBuilder::new().mode(0o700).create(&fresh).map_err(failed)?;
    account.own(&fresh)?;
    tracing::info!(directory = %place.display(), "making a private Postgres");
    let locale = if cfg!(target_os = "macos") { "--locale=C" } else { "--locale=C.UTF-8" };
    let output = account
        .command(&programs.path("initdb"))
        .current_dir(&fresh)
        .args(["-U", socket::DATABASE_USER, "-A", "trust", "--auth-host=reject", "-E", "UTF8", locale, "-D"])
        .arg(&fresh)
        .output()
        .map_err(|error| EmbeddedError::io("cannot run", &programs.path("initdb"), error))?;
    if !output.status.success() {
        let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(EmbeddedError::Program { program: "initdb", output });
    }
    let sync = |directory: &Path| File::open(directory).and_then(|file| file.sync_all());
    fs::rename(&fresh, place).and_then(|()| sync(data_dir)).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_memory_for_pages_is_a_quarter_of_the_machines_within_bounds() {
        assert_eq!(
            [None, Some(300), Some(2_000), Some(64_000)].map(shared_buffers_mb),
            [128, 128, 500, 1024]
        );
    }
}
