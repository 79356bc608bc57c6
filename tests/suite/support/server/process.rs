//! The real program, started as in production.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::{Served, free_address, print_end_of_log};
use crate::support::api::Api;
use crate::support::until::until;

/// One process of `postrider serve`.
pub struct Node {
    variables: BTreeMap<String, String>,
    address: SocketAddr,
    process: Option<Child>,
    home: TempDir,
    descriptors: Option<u32>,
    /// Another build of the program.
    program: Option<PathBuf>,
}

impl Node {
    /// One that is not started yet, with its address.
    pub fn prepare(mut variables: BTreeMap<String, String>) -> Self {
        let address = free_address();
        variables.insert("POSTRIDER_LISTEN".to_owned(), address.to_string());
        let home = tempfile::Builder::new().prefix("postrider-suite-").tempdir().unwrap();
        Self { variables, address, process: None, home, descriptors: None, program: None }
    }

    /// The same by another build of the program, such as that of an older version.
    pub fn built_elsewhere(mut self, program: &Path) -> Self {
        self.program = Some(program.to_owned());
        self
    }

    /// Starts one and returns when it answers.
    pub async fn start(variables: BTreeMap<String, String>) -> Self {
        Self::start_within(None, variables).await
    }

    /// Starts one with so many descriptors and returns when it answers.
    pub(super) async fn start_within(descriptors: Option<u32>, variables: BTreeMap<String, String>) -> Self {
        let mut node = Self::prepare(variables);
        node.descriptors = descriptors;
        node.launch();
        node.ready().await;
        node
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// A caller without a token.
    pub fn api(&self) -> Api {
        Api::at(&self.address())
    }

    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("the server runs").id()
    }

    /// Another process with the same name, address and database, which is not started yet.
    pub fn twin(&self) -> Self {
        let home = tempfile::Builder::new().prefix("postrider-suite-").tempdir().unwrap();
        Self {
            variables: self.variables.clone(),
            address: self.address,
            process: None,
            home,
            descriptors: None,
            program: self.program.clone(),
        }
    }

    /// Whether its process is there.
    pub fn is_running(&mut self) -> bool {
        if self.process.as_mut().is_some_and(|process| process.try_wait().unwrap().is_some()) {
            self.process = None;
        }
        self.process.is_some()
    }

    /// Starts the process without waiting for it.
    pub fn launch(&mut self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = match (&self.program, self.descriptors) {
            (Some(program), _) => command_of(program),
            (None, None) => command(),
            (None, Some(descriptors)) => command_within(descriptors),
        };
        command.arg("serve").envs(&self.variables).current_dir(self.home.path());
        let out =
            std::fs::OpenOptions::new().create(true).append(true).open(self.home.path().join("out")).unwrap();
        let process = command.stdin(Stdio::null()).stdout(out).stderr(log).spawn().unwrap();
        self.process = Some(process);
    }

    /// Returns when the server answers.
    pub async fn ready(&mut self) {
        let api = self.api();
        until("the server answers", || {
            if let Some(status) = self.process.as_mut().and_then(|process| process.try_wait().unwrap()) {
                panic!("the server ended at its start, {status}:\n{}", self.log());
            }
            let ping = api.request(reqwest::Method::GET, "/health/ping");
            async move { Api::try_send(ping).await.ok().filter(|answer| answer.status == 204) }
        })
        .await;
    }

    /// Everything that it has printed.
    pub fn printed(&self) -> String {
        std::fs::read_to_string(self.home.path().join("out")).unwrap_or_default()
    }

    /// Sets `POSTRIDER_<name>` from its next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(format!("POSTRIDER_{name}"), value.to_owned());
    }

    /// Everything that it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// SIGKILL. Returns when the process is gone.
    pub fn kill9(&mut self) {
        let mut process = self.process.take().expect("the server runs");
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// SIGTERM. Returns when the process has ended by itself.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.ended().await
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.pid()).unwrap()), signal).unwrap();
    }

    /// Returns when the process has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("the server runs");
        until("the server ends", || {
            let status = process.try_wait().unwrap();
            async move { status }
        })
        .await
    }

    /// Starts it again, as it was.
    pub async fn restart(&mut self) {
        self.launch();
        self.ready().await;
    }

    fn log_path(&self) -> PathBuf {
        self.home.path().join("log")
    }
}

impl Served for Node {
    fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    fn address(&self) -> String {
        self.address()
    }

    fn log(&self) -> String {
        self.log()
    }

    fn end(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end();
        if std::thread::panicking() {
            print_end_of_log(self.address, &self.log());
        }
    }
}

/// The program, without the variables of whoever runs the tests. `POSTRIDER_CHAOS_PROGRAM` names another build of it,
/// so that a long run can be made against a release.
pub fn command() -> Command {
    let other = std::env::var_os("POSTRIDER_CHAOS_PROGRAM");
    command_of(Path::new(&other.unwrap_or_else(|| env!("CARGO_BIN_EXE_postrider").into())))
}

fn command_of(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "HOME"));
    command
}

/// The program with so many descriptors, which it cannot raise.
fn command_within(descriptors: u32) -> Command {
    let plain = command();
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {descriptors} && exec \"$0\" \"$@\"")]).arg(plain.get_program());
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}
