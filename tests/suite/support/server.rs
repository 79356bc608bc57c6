//! The real binary, started as in production.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Deref;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use tempfile::TempDir;

use super::api::{Api, JWT_SECRET};
use super::postgres::{Database, on_a_thread_of_its_own};
use super::tenant::Tenant;
use super::until::until;

/// How a server is to be started.
pub struct Setup {
    variables: BTreeMap<String, String>,
    descriptors: Option<u32>,
}

impl Default for Setup {
    fn default() -> Self {
        let defaults = [
            ("POSTRIDER_JWT_SECRET", JWT_SECRET),
            ("POSTRIDER_MAIN_SECRET", "the suite's own secret that seals"),
            ("POSTRIDER_ALLOW_SUBNETS", "127.0.0.0/8"),
            ("POSTRIDER_RETRY_SCHEDULE", "100ms,200ms,300ms,400ms,500ms,600ms"),
            ("POSTRIDER_REQUEST_TIMEOUT", "10s"),
            ("POSTRIDER_SHUTDOWN_TIMEOUT", "20s"),
            ("POSTRIDER_LOG", "info"),
        ];
        let variables = defaults.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { variables, descriptors: None }
    }
}

impl Setup {
    /// Sets `POSTRIDER_<name>`.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(format!("POSTRIDER_{name}"), value.to_owned());
        self
    }

    /// Leaves `POSTRIDER_<name>` at the program's own default.
    pub fn without(mut self, name: &str) -> Self {
        self.variables.remove(&format!("POSTRIDER_{name}"));
        self
    }

    /// Gives the process so many descriptors.
    pub fn with_descriptors(mut self, descriptors: u32) -> Self {
        self.descriptors = Some(descriptors);
        self
    }

    /// The variables of a server on that database.
    pub fn variables(self, database_url: &str) -> BTreeMap<String, String> {
        let mut variables = self.variables;
        variables.insert("DATABASE_URL".to_owned(), database_url.to_owned());
        variables
    }

    /// Starts a server on a fresh database.
    pub async fn start(self) -> TestApp {
        let database = Database::fresh().await;
        let descriptors = self.descriptors;
        let node = Node::start_within(descriptors, self.variables(database.url())).await;
        TestApp { node, database: Some(database), leaves_work: false, expects_rescues: false }
    }
}

/// A server with its database. It must have nothing left to do at the end of its test.
pub struct TestApp {
    node: Node,
    database: Option<Database>,
    leaves_work: bool,
    expects_rescues: bool,
}

impl Deref for TestApp {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}

impl TestApp {
    /// A server with the suite's settings.
    pub async fn start() -> Self {
        Setup::default().start().await
    }

    /// Says that deliveries may be left at the end.
    pub fn leave_work(&mut self) {
        self.leaves_work = true;
    }

    /// Says that this test loses deliveries on purpose, for the net to find.
    pub fn expect_rescues(&mut self) {
        self.expects_rescues = true;
    }

    pub fn database(&self) -> &Database {
        self.database.as_ref().unwrap()
    }

    /// A caller with the token of the environment `org_test`.
    pub fn environment(&self) -> Api {
        self.api().claiming(&json!({"sub": "org_test"}))
    }

    /// A new tenant in `org_test`.
    pub async fn tenant(&self, name: &str) -> Tenant {
        Tenant::create(&self.environment(), name).await
    }

    pub fn node_mut(&mut self) -> &mut Node {
        &mut self.node
    }

    /// Another process of the same name on the same database, at an address of its own, which is not started yet.
    pub fn namesake(&self) -> Node {
        Node::prepare(self.node.variables.clone())
    }

    /// Another process on the same database.
    pub async fn another_node(&self, name: &str) -> Node {
        let mut variables = self.node.variables.clone();
        variables.insert("POSTRIDER_NODE_NAME".to_owned(), name.to_owned());
        variables.remove("POSTRIDER_LISTEN");
        Node::start(variables).await
    }

    /// Another process on the same database, with roles of its own.
    pub async fn another_node_as(&self, name: &str, roles: &str) -> Node {
        let mut variables = self.node.variables.clone();
        variables.insert("POSTRIDER_NODE_NAME".to_owned(), name.to_owned());
        variables.insert("POSTRIDER_ROLES".to_owned(), roles.to_owned());
        variables.remove("POSTRIDER_LISTEN");
        Node::start(variables).await
    }

    /// Another process on the same database, which may send to no private address.
    pub async fn strict_node(&self) -> Node {
        let mut variables = self.node.variables.clone();
        variables.insert("POSTRIDER_NODE_NAME".to_owned(), "strict".to_owned());
        variables.remove("POSTRIDER_ALLOW_SUBNETS");
        Node::start(variables).await
    }

    /// Returns when no delivery is in flight or waits. Held ones may be left.
    pub async fn settled(&self) {
        self.none_left("SELECT count(*) FROM delivery WHERE state IN (1, 2)").await;
    }

    /// Returns when no delivery is left: none in flight, waiting or held.
    pub async fn done(&self) {
        self.none_left("SELECT count(*) FROM delivery WHERE state IN (1, 2, 3)").await;
    }

    async fn none_left(&self, query: &'static str) {
        until("nothing is left to do", || async { (self.database().count(query).await == 0).then_some(()) })
            .await;
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.node.end();
        if !self.leaves_work && !std::thread::panicking() {
            let pool = self.database().pool.clone();
            let url = self.database().url().to_owned();
            drop(pool);
            let left = on_a_thread_of_its_own(async move { left_in(&url).await });
            assert_eq!(left, 0, "the test left deliveries queued; say `leave_work` if that is meant");
        }
        if !self.expects_rescues && !std::thread::panicking() {
            let log = self.node.log();
            assert!(
                !log.contains("nobody worked on"),
                "a delivery was lost in memory, and found by the net:\n{log}"
            );
        }
        self.database.take();
    }
}

async fn left_in(url: &str) -> i64 {
    let pool = sqlx::PgPool::connect(url).await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM delivery WHERE state IN (1, 2, 3)")
        .fetch_one(&pool)
        .await
        .unwrap()
}

/// One process of `postrider serve`.
pub struct Node {
    variables: BTreeMap<String, String>,
    address: SocketAddr,
    process: Option<Child>,
    home: TempDir,
    descriptors: Option<u32>,
}

impl Node {
    /// One that is not started yet, with its address.
    pub fn prepare(mut variables: BTreeMap<String, String>) -> Self {
        let address = free_address();
        variables.insert("POSTRIDER_LISTEN".to_owned(), address.to_string());
        let home = tempfile::Builder::new().prefix("postrider-suite-").tempdir().unwrap();
        Self { variables, address, process: None, home, descriptors: None }
    }

    /// Starts one and returns when it answers.
    pub async fn start(variables: BTreeMap<String, String>) -> Self {
        Self::start_within(None, variables).await
    }

    /// Starts one with so many descriptors and returns when it answers.
    async fn start_within(descriptors: Option<u32>, variables: BTreeMap<String, String>) -> Self {
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
        let mut command = match self.descriptors {
            None => command(),
            Some(descriptors) => command_within(descriptors),
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

    /// Everything that it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Everything that it has printed.
    pub fn printed(&self) -> String {
        std::fs::read_to_string(self.home.path().join("out")).unwrap_or_default()
    }

    /// Sets `POSTRIDER_<name>` from its next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(format!("POSTRIDER_{name}"), value.to_owned());
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
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("--- the log of {} (its last lines)", self.address);
            for line in &lines[lines.len().saturating_sub(80)..] {
                eprintln!("{line}");
            }
        }
    }
}

/// The program, without the variables of whoever runs the tests. `POSTRIDER_CHAOS_PROGRAM` names another build of it,
/// so that a long run can be made against a release.
pub fn command() -> Command {
    let other = std::env::var_os("POSTRIDER_CHAOS_PROGRAM");
    let mut command = Command::new(other.unwrap_or_else(|| env!("CARGO_BIN_EXE_postrider").into()));
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

/// An address that nothing else uses. On Linux every process has a loopback address of its own, so that a server
/// that is down for a moment finds its port free again.
pub fn free_address() -> SocketAddr {
    let ip = if cfg!(target_os = "linux") {
        let [_, high, middle, low] = std::process::id().to_be_bytes();
        Ipv4Addr::new(127, 100 + (high & 63), middle, low)
    } else {
        Ipv4Addr::LOCALHOST
    };
    TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap()
}
