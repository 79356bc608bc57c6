//! The book of faults: what each may send twice, and how long it took from its end until everything worked again.

use std::time::{Duration, Instant};

use super::laboratory::{Laboratory, WIRE};
use super::posting;

/// How long is waited until everything works again.
const RECOVERY_LIMIT: Duration = Duration::from_secs(90);
const RECORDED: &str = "SELECT count(*) FROM delivery WHERE state = 'delivered'";

/// What was found out about the faults of a run.
#[derive(Debug, Default)]
pub struct FaultLog {
    pub faults: usize,
    /// How many pairs may have been delivered more than once.
    pub allowed: i64,
    /// Seconds from the end of each fault until every node was well, accepted, delivered and recorded; `None`: never.
    pub recoveries: Vec<Option<f64>>,
    /// Promises that the fault itself saw broken.
    pub violations: Vec<String>,
    pub notes: Vec<String>,
}

/// A fault that goes on.
pub struct Fault {
    recorded: i64,
    nodes: usize,
}

impl Laboratory {
    /// To be called before a fault begins that strikes all nodes.
    pub async fn fault_begins(&self) -> Fault {
        self.fault_begins_at(self.nodes.len()).await
    }

    /// To be called before a fault begins that strikes so many nodes.
    pub async fn fault_begins_at(&self, nodes: usize) -> Fault {
        Fault { recorded: self.home.try_count(RECORDED).await.unwrap_or_default(), nodes }
    }

    /// To be called when its cause has ended. Counts what may be sent again: what the receiver has answered 200 and
    /// the database does not know as delivered, and what may be on the wire. Returns when everything works again.
    pub async fn fault_ends(&self, fault: Fault) {
        let ended_at = Instant::now();
        let delivered = self.receiver.delivered_pairs();
        let recorded = self.home.try_count(RECORDED).await.unwrap_or_default().max(fault.recorded);
        let wire = i64::try_from(fault.nodes).unwrap() * WIRE;
        {
            let mut log = self.faults.lock().unwrap();
            log.faults += 1;
            log.allowed += (delivered - recorded).max(0) + wire;
        }
        self.recovers_since(ended_at).await;
    }

    /// As when a fault has ended that sends nothing twice.
    pub async fn works_again(&self) {
        self.recovers_since(Instant::now()).await;
    }

    async fn recovers_since(&self, ended_at: Instant) {
        let recovery = tokio::time::timeout(RECOVERY_LIMIT, self.all_recover()).await;
        let seconds = recovery.ok().map(|()| ended_at.elapsed().as_secs_f64());
        if seconds.is_none() {
            self.note(format!("a node did not work again within {} s", RECOVERY_LIMIT.as_secs()));
        }
        self.faults.lock().unwrap().recoveries.push(seconds);
    }

    /// Counts a fault that must not send anything twice.
    pub fn fault_without_duplicates(&self) {
        self.faults.lock().unwrap().faults += 1;
    }

    /// Returns when every node says that it is well, accepts a message, has it delivered and
    /// that recorded.
    async fn all_recover(&self) {
        let nodes: Vec<_> = (0..self.nodes.len()).map(|node| self.recovers(node)).collect();
        futures_util::future::join_all(nodes).await;
    }

    async fn recovers(&self, node: usize) {
        posting::probe(self, node).await;
        loop {
            let request = self.api(node).request(reqwest::Method::GET, "/health");
            let answer = request.timeout(Duration::from_secs(5)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
