//! A run's surroundings: database, nodes, tenants with their endpoints, one receiver, and the ledger.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use postrider::domain::clock::Clock;
use postrider::domain::id::{ApplicationId, EndpointId};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::faults::FaultLog;
use super::home::{Home, Needed};
use super::ledger::Ledger;
use super::moving::Moving;
use super::nodes::Nodes;
use super::receiver::{Receiver, Reply};
use crate::support::{Api, Setup};

pub const FAN_OUT: usize = 10;
const TENANTS: usize = 3;
/// Requests at a time of one node: what may be on the wire when it dies.
pub const WIRE: i64 = 64;
/// A request of an operator that has not succeeded within this never will.
const OPERATE_LIMIT: Duration = Duration::from_secs(120);

/// What a kind of fault needs.
#[derive(Debug, Clone, Copy)]
pub struct Needs {
    pub database: Needed,
    pub nodes: usize,
    /// Settings of the nodes besides the laboratory's own: `POSTRIDER_<name>`.
    pub settings: &'static [(&'static str, &'static str)],
    /// Whether the nodes run under a clock that can be moved.
    pub clock: bool,
}

/// An endpoint.
#[derive(Debug, Clone)]
pub struct Target {
    pub id: String,
    pub endpoint: EndpointId,
    pub place: u16,
    /// When somebody began to delete it.
    pub deleted_at: Option<Instant>,
}

/// An application. The last of a run is for probes: nothing but its nodes' and its database's faults reach it.
pub struct LabTenant {
    pub id: String,
    pub application: ApplicationId,
    targets: Mutex<Vec<Target>>,
}

impl LabTenant {
    pub fn targets(&self) -> Vec<Target> {
        self.targets.lock().unwrap().clone()
    }

    /// Says that an endpoint is about to be deleted.
    pub fn begin_deletion(&self, target: usize) {
        self.targets.lock().unwrap()[target].deleted_at = Some(Instant::now());
    }
}

/// All of it. What is first is dropped first: nodes go before their database.
pub struct Laboratory {
    pub nodes: Nodes,
    pub home: Home,
    pub receiver: Receiver,
    pub tenants: Vec<LabTenant>,
    pub ledger: Ledger,
    pub faults: Mutex<FaultLog>,
    pub moving: Moving,
    /// Whether posting goes on until the faults are over.
    pub faults_go_on: AtomicBool,
    pub run: u64,
    api: Api,
    /// What nodes read the time from.
    clocks: TempDir,
}

impl Laboratory {
    /// `Err` says why this machine does not allow it.
    pub async fn start(needs: &Needs, run: u64) -> Result<Self, String> {
        let faketime = if needs.clock { Some(faketime()?) } else { None };
        let home = Home::open(needs.database).await?;
        let clocks = tempfile::tempdir().unwrap();
        let variables = (0..needs.nodes).map(|node| {
            let mut setup = Setup::default()
                .with("NODE_NAME", &format!("node-{node}"))
                .with("MAX_IN_FLIGHT_TOTAL", &WIRE.to_string())
                .with("RETRY_SCHEDULE", "200ms,500ms,1s,1s,2s,2s,2s,4s,4s")
                .with("SHUTDOWN_TIMEOUT", "10s")
                .with("LOG", "warn");
            for (name, value) in needs.settings {
                setup = setup.with(name, value);
            }
            let mut variables = setup.variables(&home.url);
            if let Some(library) = &faketime {
                let file = clocks.path().join(node.to_string());
                std::fs::write(&file, "+0\n").unwrap();
                fake_time(&mut variables, library, &file.display().to_string());
            }
            variables
        });
        let nodes = Nodes::start(variables.collect()).await;
        // Issued long ago, so that a node whose clock is behind takes it.
        let issued_at = Clock::default().now().timestamp() - 7_200;
        let api = Api::at(nodes.address(0)).claiming(&json!({"sub": "org_test", "iat": issued_at}));
        let receiver = Receiver::start(run).await;
        let mut laboratory = Self {
            nodes,
            home,
            receiver,
            tenants: Vec::new(),
            ledger: Ledger::default(),
            faults: Mutex::default(),
            moving: Moving::default(),
            faults_go_on: AtomicBool::new(true),
            run,
            api,
            clocks,
        };
        for tenant in 0..TENANTS {
            let made = laboratory.tenant(&format!("tenant-{tenant}"), FAN_OUT).await;
            laboratory.tenants.push(made);
        }
        let probes = laboratory.tenant("probes", 1).await;
        laboratory.tenants.push(probes);
        Ok(laboratory)
    }

    async fn tenant(&self, name: &str, endpoints: usize) -> LabTenant {
        let made = self.api.post("/app", &json!({"name": name})).await.expect(201);
        let id = made["id"].as_str().unwrap().to_owned();
        let mut targets = Vec::new();
        for _ in 0..endpoints {
            let (place, url, secret) = self.receiver.place(|_, _| Reply::Status(200));
            let body = json!({"url": url, "secret": secret});
            let made = self.api.post(&format!("/app/{id}/endpoint"), &body).await.expect(201);
            let id = made["id"].as_str().unwrap().to_owned();
            targets.push(Target { endpoint: id.parse().unwrap(), id, place, deleted_at: None });
        }
        LabTenant { application: id.parse().unwrap(), id, targets: Mutex::new(targets) }
    }

    /// The tenants that are posted to, without the one for probes.
    pub fn posted_to(&self) -> &[LabTenant] {
        &self.tenants[..TENANTS]
    }

    /// The place of the tenant for probes.
    pub fn probes(&self) -> usize {
        TENANTS
    }

    /// A caller at a node.
    pub fn api(&self, node: usize) -> Api {
        self.api.through(self.nodes.address(node))
    }

    /// An operator's caller at a node.
    pub fn operator(&self, node: usize) -> Api {
        let issued_at = Clock::default().now().timestamp() - 7_200;
        self.api(node).claiming(&json!({"sub": "operator", "iat": issued_at}))
    }

    /// Asks again, of one node after the other, until the answer is one of these.
    pub async fn operate(&self, method: Method, path: &str, body: &Value, good: &[u16]) -> Option<Value> {
        let began = Instant::now();
        for turn in 0.. {
            // What strikes everything is for operators; the rest, for the environment.
            let is_for_all = ["/admin/pause", "/admin/resume"].contains(&path);
            let api = if is_for_all { self.operator(turn) } else { self.api(turn) };
            let request = api.request(method.clone(), path).json(body).timeout(Duration::from_secs(10));
            let said = match Api::try_send(request).await {
                Ok(answer) if good.contains(&answer.status) => {
                    return Some(serde_json::from_str(&answer.text).unwrap_or_default());
                }
                Ok(answer) => format!("{} {}", answer.status, answer.text),
                Err(error) => error.to_string(),
            };
            if began.elapsed() > OPERATE_LIMIT {
                self.violation(format!("{method} {path} never succeeded: {said}"));
                return None;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        None
    }

    /// Keeps a sentence for the report.
    pub fn note(&self, sentence: String) {
        self.faults.lock().unwrap().notes.push(sentence);
    }

    /// Keeps a promise that was broken.
    pub fn violation(&self, sentence: String) {
        self.faults.lock().unwrap().violations.push(sentence);
    }

    /// Moves the clock of a node by so many seconds from the true time.
    pub fn set_clock(&self, node: usize, seconds: i64) {
        std::fs::write(self.clocks.path().join(node.to_string()), format!("{seconds:+}\n")).unwrap();
    }

    pub fn is_under_fault(&self) -> bool {
        self.faults_go_on.load(Ordering::Acquire)
    }
}

/// The library that lets a process read another time.
fn faketime() -> Result<String, String> {
    let folders = [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
        "/usr/lib",
        "/usr/local/lib",
    ];
    let library = folders.iter().map(|folder| format!("{folder}/faketime/libfaketimeMT.so.1"));
    library
        .into_iter()
        .find(|path| std::path::Path::new(path).is_file())
        .ok_or_else(|| "libfaketime is not installed (the package `faketime`)".to_owned())
}

fn fake_time(variables: &mut BTreeMap<String, String>, library: &str, file: &str) {
    let settings = [
        ("LD_PRELOAD", library),
        ("FAKETIME_TIMESTAMP_FILE", file),
        ("FAKETIME_CACHE_DURATION", "1"),
        // Durations are measured by the monotonic clock, which a step of the time does not move.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
    ];
    variables.extend(settings.map(|(name, value)| (name.to_owned(), value.to_owned())));
}
