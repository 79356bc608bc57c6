//! The server process: started, adopted, stopped.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;
use std::str::FromStr;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tokio::process::{Child, Command};

use super::EmbeddedError;
use super::account::Account;
use super::cluster::Cluster;
use super::log_file;
use super::programs::Programs;

/// How often a process that cannot be waited for is polled: while it starts or stops, and while it runs.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
const RUNNING_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// A postmaster that answers.
#[derive(Debug)]
pub(super) struct Postmaster {
    pid: Pid,
    /// `None` for an adopted one, which is not our child.
    pub(super) child: Option<Child>,
    stopped: bool,
}

impl Drop for Postmaster {
    /// After a start that is given up, or a panic: nothing waits for it, but it is told to stop.
    fn drop(&mut self) {
        if !self.stopped {
            // There is no caller for an error.
            let _ = kill(self.pid, Signal::SIGINT);
        }
    }
}

impl Postmaster {
    /// Takes over the postmaster that a killed Postrider left behind, once it answers. Another
    /// process that has its old number is not adopted.
    pub(super) async fn adopt(cluster: &Cluster, url: &str) -> Result<Option<Self>, EmbeddedError> {
        let note = cluster.directory.join("postmaster.pid");
        let Some(pid) = fs::read_to_string(&note).ok().and_then(|text| pid_of(&text)) else {
            return Ok(None);
        };
        if !is_alive(pid) {
            return Ok(None);
        }
        if !is_postgres(pid) {
            // With that file, Postgres would not start.
            fs::remove_file(&note).map_err(|error| EmbeddedError::io("cannot remove", &note, error))?;
            return Ok(None);
        }
        while is_alive(pid) {
            if answers(url).await {
                tracing::info!(%pid, "the private Postgres is still running and is used again");
                return Ok(Some(Self { pid, child: None, stopped: false }));
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(None)
    }

    /// Starts one and waits until it answers, however long its recovery takes.
    pub(super) async fn start(
        cluster: &Cluster,
        programs: &Programs,
        account: &Account,
        url: &str,
    ) -> Result<Self, EmbeddedError> {
        let log = log_file::open(&cluster.log)
            .map_err(|error| EmbeddedError::io("cannot open", &cluster.log, error))?;
        let program = programs.path("postgres");
        let mut command = account.command(&program);
        command.arg("-D").arg(&cluster.directory).current_dir(&cluster.directory);
        for setting in cluster.settings(programs, account) {
            command.arg("-c").arg(setting);
        }
        // A process group of its own: Ctrl-C on the terminal must stop Postrider alone, which stops Postgres after draining.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = Command::from(command)
            .spawn()
            .map_err(|error| EmbeddedError::io("cannot run", &program, error))?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        let pid = pid.ok_or_else(|| ended_early(&cluster.log))?;
        let mut postmaster = Self { pid, child: Some(child), stopped: false };
        while !answers(url).await {
            tokio::select! {
                () = postmaster.ended() => return Err(ended_early(&cluster.log)),
                () = tokio::time::sleep(POLL_INTERVAL) => {}
            }
        }
        Ok(postmaster)
    }

    /// Returns when it has ended without being told to.
    pub(super) async fn ended(&mut self) {
        self.wait_for_exit(RUNNING_POLL_INTERVAL).await;
    }

    async fn wait_for_exit(&mut self, poll_interval: Duration) {
        if let Some(child) = &mut self.child {
            // An error means that there is nothing to wait for any more.
            let _ = child.wait().await;
        } else {
            while is_alive(self.pid) {
                tokio::time::sleep(poll_interval).await;
            }
        }
        self.stopped = true;
    }

    /// SIGINT is Postgres's fast stop: sessions end, a checkpoint is written.
    pub(super) async fn stop(&mut self) -> Result<(), EmbeddedError> {
        match kill(self.pid, Signal::SIGINT) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => return Err(EmbeddedError::io("cannot stop", Path::new("postgres"), error)),
        }
        self.wait_for_exit(POLL_INTERVAL).await;
        Ok(())
    }
}

/// The first line of `postmaster.pid`.
fn pid_of(note: &str) -> Option<Pid> {
    note.lines().next()?.trim().parse().ok().filter(|pid| *pid > 1).map(Pid::from_raw)
}

fn is_alive(pid: Pid) -> bool {
    !matches!(kill(pid, None), Err(Errno::ESRCH)) && !is_zombie(pid)
}

/// A dead process whose parent has not waited for it, as in a container without an init.
fn is_zombie(pid: Pid) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
}

fn is_postgres(pid: Pid) -> bool {
    let said = std::process::Command::new("ps").args(["-o", "comm=", "-p", &pid.to_string()]).output();
    let name = fs::read_to_string(format!("/proc/{pid}/comm"))
        .ok()
        .or_else(|| said.ok().map(|said| String::from_utf8_lossy(&said.stdout).into_owned()));
    name.is_none_or(|name| name.contains("postgres"))
}

async fn answers(url: &str) -> bool {
    let Ok(options) = PgConnectOptions::from_str(url) else { return false };
    let Ok(connection) = options.disable_statement_logging().connect().await else { return false };
    connection.close().await.is_ok()
}

/// Whether it answers, now or in a while.
pub(super) async fn answers_within(url: &str, limit: Duration) -> bool {
    let answered = async {
        while !answers(url).await {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    tokio::time::timeout(limit, answered).await.is_ok()
}

fn ended_early(log: &Path) -> EmbeddedError {
    let output =
        log_file::tail(log).unwrap_or_else(|error| format!("{} cannot be read: {error}", log.display()));
    EmbeddedError::Program { program: "postgres", output }
}
