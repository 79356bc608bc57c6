//! A node in the test's own process: the very code that `serve` runs, on threads of its own, without a process to start.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, OnceLock};

use postrider::config::{Config, ConfigSources};
use postrider::server::Server;
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;

use super::{Served, free_address, print_end_of_log};
use crate::support::api::Api;

/// A node of this process.
pub struct Local {
    variables: BTreeMap<String, String>,
    address: SocketAddr,
    /// There until it has ended.
    running: Option<(Server, Runtime)>,
}

impl Local {
    /// Starts one and returns when it works.
    pub async fn start(mut variables: BTreeMap<String, String>) -> Self {
        let address = free_address();
        variables.insert("POSTRIDER_LISTEN".to_owned(), address.to_string());
        let sources = ConfigSources { variables: variables.clone(), ..ConfigSources::default() };
        let config = Config::from_sources(&sources).unwrap_or_else(|error| panic!("{error}"));
        keep_log(&config.log.filter);
        let starting = tokio::task::spawn_blocking(move || {
            let runtime = Runtime::new().unwrap();
            let started = runtime.block_on(Server::start(&config));
            (started.unwrap_or_else(|error| panic!("the node does not start: {error:#}")), runtime)
        });
        let running = starting.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        Self { variables, address, running: Some(running) }
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// A caller without a token.
    pub fn api(&self) -> Api {
        Api::at(&self.address())
    }

    /// Everything that nodes of this process have logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&LOG.lock().unwrap()).into_owned()
    }
}

impl Served for Local {
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
        if let Some((server, runtime)) = self.running.take() {
            // Database connections say goodbye on the runtime that they were opened on.
            let context = runtime.enter();
            drop(server);
            drop(context);
            runtime.shutdown_background();
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.end();
        if std::thread::panicking() {
            print_end_of_log(self.address, &self.log());
        }
    }
}

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Keeps what is logged in this process from now on. The first node's filter is everybody's.
fn keep_log(filter: &str) {
    static KEPT: OnceLock<()> = OnceLock::new();
    KEPT.get_or_init(|| {
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(filter))
            .with_ansi(false)
            .with_writer(|| Kept)
            .init();
    });
}

struct Kept;

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
