//! What a page has a reader do, as one script for the shell. Ports and `/tmp` are others than the page says, so that several pages
//! can be followed side by side.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::support::data_dir::data_dir;
use crate::support::javascript::packages;
use crate::support::python::python;
use crate::support::server::{command, free_address};

use super::page::Page;

/// Ports that pages speak of. The first is the server's.
const PORTS: [&str; 7] = ["8071", "8072", "9000", "9001", "9002", "9009", "9464"];
/// Only keeps a script that hangs from hanging for ever; a Rust program is built within it.
const DEADLINE: Duration = Duration::from_secs(400);
/// What a file of a page ends with, in the script.
const END: &str = "THE_END_OF_A_FILE";

pub struct Script {
    text: String,
    place: TempDir,
    /// Where the page's server is.
    server: String,
    variables: BTreeMap<String, String>,
}

/// What a script printed.
pub struct Said(String);

impl Said {
    #[track_caller]
    pub fn says(&self, wanted: &[&str]) {
        for wanted in wanted {
            assert!(self.0.contains(wanted), "{wanted} is not in:\n{}", self.0);
        }
    }
}

impl Script {
    pub fn of(name: &str, page: &Page) -> Self {
        let place = data_dir();
        let mut text = "set -eu\n".to_owned();
        let has_java = has_java();
        for block in page.run().filter(|block| has_java || !block.is_for_java()) {
            match &block.file {
                Some(file) => {
                    // Written where the page says it, because a later block of the page may have the same name.
                    let body = &block.text;
                    write!(text, "mkdir -p \"$(dirname {file})\"\ncat >{file} <<'{END}'\n{body}{END}\n")
                        .unwrap();
                }
                None => text.push_str(&block.text),
            }
        }
        let addresses = PORTS.map(|_| free_address().port().to_string());
        for (said, port) in PORTS.iter().zip(&addresses) {
            text = text.replace(said, port);
        }
        text = text.replace("/tmp/", &format!("{}/", place.path().display()));
        prepare_rust(&place, name);
        let server = format!("127.0.0.1:{}", addresses[0]);
        Self { text, place, server: server.clone(), variables: BTreeMap::new() }.at(&server)
    }

    /// The server that the page speaks of runs there.
    pub fn at(mut self, address: &str) -> Self {
        self.text = self.text.replace(&self.server, address);
        self.set("POSTRIDER_LISTEN", address);
        self.set("POSTRIDER_URL", &format!("http://{address}"));
        self
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    pub fn set_all(&mut self, variables: &BTreeMap<String, String>) {
        self.variables.extend(variables.clone());
    }

    /// Runs it to its end; nothing that it started is left.
    pub async fn run(self) -> Said {
        let program = command();
        let folder = Path::new(program.get_program()).parent().unwrap().display().to_string();
        let python = python().parent().unwrap().display().to_string();
        #[expect(clippy::disallowed_methods, reason = "it is the shell's own variable, not the program's")]
        let path = std::env::var("PATH").unwrap();
        let log = self.place.path().join("log");
        let file = fs::File::create(&log).unwrap();
        let mut bash = tokio::process::Command::new("bash");
        for (name, _) in std::env::vars_os().filter(|(name, _)| !is_for_pages(&name.to_string_lossy())) {
            bash.env_remove(name);
        }
        bash.args(["-c", &self.text])
            .current_dir(self.place.path())
            .envs(&self.variables)
            .env("PATH", format!("{folder}:{python}:{path}"))
            .env("NODE_PATH", packages("javascript").join("node_modules"))
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap())
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .process_group(0);
        let mut running = bash.spawn().unwrap();
        let group = Pid::from_raw(running.id().unwrap().try_into().unwrap());
        let ended = tokio::time::timeout(DEADLINE, running.wait()).await;
        // Nobody may be left of it already.
        let _ = killpg(group, Signal::SIGKILL);
        let said = fs::read_to_string(&log).unwrap();
        let ended = ended.unwrap_or_else(|_| panic!("it does not end:\n{said}")).unwrap();
        assert!(ended.success(), "{ended}:\n{said}");
        Said(said)
    }
}

/// Whether a variable of whoever runs the tests is one that a reader may have, too.
fn is_for_pages(name: &str) -> bool {
    !name.starts_with("POSTRIDER_")
        && !["DATABASE_URL", "RUSTC_WORKSPACE_WRAPPER", "CLIPPY_ARGS"].contains(&name)
}

fn has_java() -> bool {
    let has_java = Command::new("javac").arg("-version").output().is_ok();
    if !has_java {
        eprintln!("Java was not run: there is no javac (Debian: default-jdk-headless)");
    }
    has_java
}

/// What `cargo run` in the page's folder takes: the packages that the Rust client library's walk has, built already.
fn prepare_rust(place: &TempDir, page: &str) {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rust-client");
    // Each page's program has a name of its own, because all are built in one folder.
    let name: String =
        page.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
    for file in ["Cargo.toml", "Cargo.lock"] {
        let text = fs::read_to_string(project.join(file)).unwrap();
        let named = text.replace("name = \"rust-client\"", &format!("name = \"page-{name}\""));
        fs::write(place.path().join(file), named).unwrap();
    }
}
