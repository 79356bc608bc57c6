//! The nodes of a run, and a supervisor that starts what ended by itself, as one does in production.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::sync::Mutex;

use crate::support::Node;

/// A stop that takes longer is one that never ends.
const STOP_LIMIT: Duration = Duration::from_secs(60);
/// How long a supervisor waits before it starts again what has ended.
const SUPERVISE_EVERY: Duration = Duration::from_millis(500);

struct Slot {
    node: Mutex<Node>,
    address: String,
    /// Whether it should run now; a fault that keeps it down says that it should not.
    is_wanted: AtomicBool,
}

/// All nodes of a run.
pub struct Nodes {
    slots: Arc<Vec<Slot>>,
    restarts: Arc<AtomicUsize>,
    supervisor: tokio::task::JoinHandle<()>,
}

impl Nodes {
    /// Starts one after the other, and returns when all answer.
    pub async fn start(variables: Vec<BTreeMap<String, String>>) -> Self {
        let mut slots = Vec::new();
        for variables in variables {
            let node = Node::start(variables).await;
            let address = node.address();
            slots.push(Slot { node: Mutex::new(node), address, is_wanted: AtomicBool::new(true) });
        }
        let (slots, restarts) = (Arc::new(slots), Arc::new(AtomicUsize::new(0)));
        let supervisor = tokio::spawn(supervise(slots.clone(), restarts.clone()));
        Self { slots, restarts, supervisor }
    }

    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn address(&self, node: usize) -> &str {
        &self.slots[node % self.slots.len()].address
    }

    /// How often a node ended by itself and was started again.
    pub fn restarts(&self) -> usize {
        self.restarts.load(Ordering::Acquire)
    }

    /// SIGKILL.
    pub async fn kill(&self, node: usize) {
        let slot = &self.slots[node];
        slot.is_wanted.store(false, Ordering::Release);
        let mut node = slot.node.lock().await;
        if node.is_running() {
            node.kill9();
        }
    }

    /// SIGTERM. Returns whether the process ended by itself; one that does not is killed.
    pub async fn stop(&self, node: usize) -> bool {
        let slot = &self.slots[node];
        slot.is_wanted.store(false, Ordering::Release);
        let mut node = slot.node.lock().await;
        if node.is_running() {
            node.signal(Signal::SIGTERM);
        }
        let asked = tokio::time::Instant::now();
        while node.is_running() {
            if asked.elapsed() > STOP_LIMIT {
                node.kill9();
                return false;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        true
    }

    /// Starts it again, without waiting until it answers.
    pub async fn launch(&self, node: usize) {
        let slot = &self.slots[node];
        let mut node = slot.node.lock().await;
        if !node.is_running() {
            node.launch();
        }
        slot.is_wanted.store(true, Ordering::Release);
    }

    pub async fn signal(&self, node: usize, signal: Signal) {
        let mut node = self.slots[node].node.lock().await;
        if node.is_running() {
            node.signal(signal);
        }
    }

    /// A second process of a node's name, address and database, which is started again whenever it has ended, as a
    /// supervisor does that was set up twice.
    pub async fn run_twin(&self, node: usize, time: Duration) {
        let mut twin = self.slots[node].node.lock().await.twin();
        let began = tokio::time::Instant::now();
        while began.elapsed() < time {
            if !twin.is_running() {
                twin.launch();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The last lines that each node has logged.
    pub async fn logs(&self, lines: usize) -> String {
        let mut text = String::new();
        for slot in self.slots.iter() {
            let log = slot.node.lock().await.log();
            let all: Vec<&str> = log.lines().collect();
            text += &format!("--- {}\n{}\n", slot.address, all[all.len().saturating_sub(lines)..].join("\n"));
        }
        text
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        self.supervisor.abort();
    }
}

async fn supervise(slots: Arc<Vec<Slot>>, restarts: Arc<AtomicUsize>) {
    loop {
        tokio::time::sleep(SUPERVISE_EVERY).await;
        for slot in slots.iter() {
            // One that is locked is being stopped or started.
            let Ok(mut node) = slot.node.try_lock() else { continue };
            if slot.is_wanted.load(Ordering::Acquire) && !node.is_running() {
                restarts.fetch_add(1, Ordering::AcqRel);
                node.launch();
            }
        }
    }
}
