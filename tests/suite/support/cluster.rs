//! A Postgres of a test's own, that can be stopped, killed and started again. It listens at a port of 127.0.0.1 for the
//! nodes, and at a unix socket for the test, so that either can be refused alone.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User};
use tempfile::TempDir;

use super::fresh_data;
use super::until::until;

/// How a Postgres stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopMode {
    /// Ends its connections and writes everything down.
    Fast,
    /// Ends at once; the next start recovers.
    Immediate,
}

/// The account that the server runs under, where the test runs as root.
#[derive(Clone, Copy)]
pub(super) struct Account {
    user: u32,
    group: u32,
}

/// A Postgres. It ends with this value, and also when the test's process is killed.
pub struct Cluster {
    programs: PathBuf,
    account: Option<Account>,
    port: u16,
    postmaster: Option<Child>,
    /// Ends the server and removes its files once its standard input is closed.
    guard: Child,
    place: TempDir,
    data: PathBuf,
    /// Of the server, `name=value` each.
    settings: Vec<String>,
}

impl Cluster {
    /// Starts one whose data are in this directory, which may be another file system; without one, below the directory
    /// for temporary files.
    pub async fn start_in(folder: Option<&Path>) -> Self {
        let place = place();
        let data = folder.unwrap_or(place.path()).join("data");
        Self::make(place, data, &[]).await
    }

    /// Starts one with these settings of the server, `name=value` each.
    pub async fn start_with(settings: &[String]) -> Self {
        let place = place();
        let data = place.path().join("data");
        Self::make(place, data, settings).await
    }

    /// Starts one on data that are there, such as a base backup's, with these settings of the server.
    pub async fn start_on(data: &Path, settings: &[String]) -> Self {
        Self::run(place(), data.to_owned(), settings).await
    }

    async fn make(place: TempDir, data: PathBuf, settings: &[String]) -> Self {
        let initdb = programs().join("initdb");
        fresh_data::make(&data, || command_as(&initdb, account(), place.path()));
        Self::run(place, data, settings).await
    }

    async fn run(place: TempDir, data: PathBuf, settings: &[String]) -> Self {
        let guard = Command::new("sh")
            .args([
                "-c",
                "cat >/dev/null; kill -QUIT $(head -1 \"$0\" 2>/dev/null) 2>/dev/null; rm -rf \"$1\"",
            ])
            .arg(data.join("postmaster.pid"))
            .arg(place.path())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (programs, account, settings) = (programs(), account(), settings.to_vec());
        let mut cluster = Self { programs, account, port, postmaster: None, guard, place, data, settings };
        cluster.restart().await;
        cluster
    }

    /// One of PostgreSQL's programs, under the server's account, with the variables that say where the server is.
    pub fn program(&self, name: &str) -> Command {
        let mut command = command_as(&self.programs.join(name), self.account, self.place.path());
        command
            .env("PGHOST", self.place.path())
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", "postgres");
        command
    }

    /// Where a node finds it.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// Where the test finds it, whatever is done to the nodes.
    pub fn own_url(&self) -> String {
        let folder = self.place.path().display();
        format!("postgres://postgres@localhost:{}/postgres?host={folder}", self.port)
    }

    /// Starts the server, or starts it again, and returns when it takes connections.
    pub async fn restart(&mut self) {
        until("Postgres starts", || {
            let up = self.answers();
            if !up && !self.is_running() {
                // Right after a kill the former processes may still hold its memory; then it ends, and is tried again.
                self.launch();
            }
            async move { up.then_some(()) }
        })
        .await;
    }

    fn launch(&mut self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = command_as(&self.programs.join("postgres"), self.account, self.place.path());
        command.arg("-D").arg(&self.data).args([
            "-p",
            &self.port.to_string(),
            "-c",
            "listen_addresses=127.0.0.1",
        ]);
        command.args(["-c", "max_connections=200", "-c", "max_wal_size=256MB", "-c", "wal_level=minimal"]);
        command.args(["-c", "max_wal_senders=0", "-c"]);
        command.arg(format!("unix_socket_directories={}", self.place.path().display()));
        for setting in &self.settings {
            command.arg("-c").arg(setting);
        }
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.postmaster = Some(command.spawn().unwrap());
    }

    /// Whether its postmaster is there.
    pub fn is_running(&mut self) -> bool {
        self.postmaster.as_mut().is_some_and(|postmaster| postmaster.try_wait().unwrap().is_none())
    }

    fn answers(&self) -> bool {
        let mut command = Command::new(self.programs.join("pg_isready"));
        command.args(["-q", "-h"]).arg(self.place.path()).args(["-p", &self.port.to_string()]);
        command.status().is_ok_and(|status| status.success())
    }

    /// Stops it, and returns when it is gone.
    pub async fn stop(&mut self, mode: StopMode) {
        self.signal(match mode {
            StopMode::Fast => Signal::SIGINT,
            StopMode::Immediate => Signal::SIGQUIT,
        });
        until("Postgres stops", || {
            let gone = !self.is_running();
            async move { gone.then_some(()) }
        })
        .await;
    }

    /// SIGKILL for the postmaster. Its children notice that they are orphans, and end.
    pub fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        if let Some(mut postmaster) = self.postmaster.take() {
            postmaster.wait().unwrap();
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(postmaster) = &self.postmaster {
            // It may have ended by itself.
            kill(Pid::from_raw(i32::try_from(postmaster.id()).unwrap()), signal).ok();
        }
    }

    /// Lets nodes log in, or refuses them. Connections that are open stay.
    pub fn admit_nodes(&self, admit: bool) {
        self.let_nodes_in_by(if admit { "trust" } else { "reject" });
    }

    /// How nodes log in from now on, in the words of `pg_hba.conf`. Connections that are open stay.
    pub fn let_nodes_in_by(&self, method: &str) {
        let rules = format!("local all all trust\nhost all all 127.0.0.1/32 {method}\n");
        std::fs::write(self.data.join("pg_hba.conf"), rules).unwrap();
        self.signal(Signal::SIGHUP);
    }

    fn log_path(&self) -> PathBuf {
        self.place.path().join("log")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.signal(Signal::SIGQUIT);
        if let Some(mut postmaster) = self.postmaster.take() {
            postmaster.wait().ok();
        }
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.log_path()).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("--- the log of Postgres (its last lines)");
            eprintln!("{}", lines[lines.len().saturating_sub(30)..].join("\n"));
        }
        drop(self.guard.stdin.take());
        self.guard.wait().ok();
    }
}

/// A directory for a server's files, which is its account's.
pub fn place() -> TempDir {
    let place = tempfile::Builder::new().prefix("postrider-cluster-").tempdir().unwrap();
    own(place.path(), account());
    place
}

pub(super) fn account() -> Option<Account> {
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    let user = ["postgres", "nobody"].iter().find_map(|name| User::from_name(name).unwrap()).unwrap();
    Some(Account { user: user.uid.as_raw(), group: user.gid.as_raw() })
}

/// The user and the group of that account, for other servers that refuse to run as root.
pub fn account_ids() -> Option<(u32, u32)> {
    account().map(|account| (account.user, account.group))
}

/// Gives a directory to the account that the server runs under.
pub(super) fn own(folder: &Path, account: Option<Account>) {
    if let Some(account) = account {
        std::os::unix::fs::chown(folder, Some(account.user), Some(account.group)).unwrap();
    }
}

/// Gives a file or a directory to the account that the server runs under.
pub fn give_to_server(path: &Path) {
    own(path, account());
}

fn command_as(program: &Path, account: Option<Account>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_remove("DATABASE_URL");
    if let Some(account) = account {
        command.uid(account.user).gid(account.group);
    }
    command
}

/// Where `initdb` and `postgres` are.
fn programs() -> PathBuf {
    let said =
        Command::new("pg_config").arg("--bindir").output().map(|output| output.stdout).unwrap_or_default();
    let mut places = vec![PathBuf::from(String::from_utf8_lossy(&said).trim())];
    for (folder, inner) in
        [("/usr/lib/postgresql", "bin"), ("/usr/libexec", ""), ("/opt/homebrew/opt", "bin")]
    {
        let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path().join(inner))
            .collect();
        found.sort();
        places.extend(found.into_iter().rev());
    }
    places.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let complete = |place: &PathBuf| place.join("initdb").is_file() && place.join("postgres").is_file();
    places.into_iter().find(complete).expect("the programs of PostgreSQL are installed")
}
