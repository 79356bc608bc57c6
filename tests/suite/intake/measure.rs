//! What a server takes, and how it answers meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::support::{Api, Node};

/// No overload may take more, at the default settings.
pub const MOST_MIB: u64 = 300;

/// Health answers meanwhile; a machine that is busy otherwise is forgiven.
pub const SLOWEST_HEALTH: Duration = Duration::from_secs(5);

/// The largest resident size that the process has had, in MiB.
pub fn peak_mib(node: &Node) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// The descriptors that the process has open.
pub fn descriptors(node: &Node) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", node.pid())).unwrap().count()
}

/// Holds the bound, and says what it was.
#[track_caller]
pub fn assert_small(node: &Node, what: &str) {
    let (peak, descriptors) = (peak_mib(node), descriptors(node));
    eprintln!("{what}: {peak} MiB at most, {descriptors} descriptors now");
    assert!(peak <= MOST_MIB, "{what}: {peak} MiB");
}

/// Asks for health all the time, on a new connection each time.
pub struct Health {
    longest: Duration,
    stop: Arc<AtomicBool>,
    asking: JoinHandle<(usize, Duration)>,
}

impl Health {
    pub fn watch(node: &Node) -> Self {
        Self::watch_within(node, SLOWEST_HEALTH)
    }

    /// Each answer has so long.
    pub fn watch_within(node: &Node, longest: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let asking = tokio::spawn(ask(format!("http://{}", node.address()), stop.clone()));
        Self { longest, stop, asking }
    }

    /// It has answered all the time. Returns how long the slowest answer took.
    pub async fn expect(self, what: &str) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        let (answers, slowest) =
            self.asking.await.unwrap_or_else(|e| std::panic::resume_unwind(e.into_panic()));
        eprintln!("{what}: health answered {answers} times, within {slowest:?}");
        assert!(answers > 0, "health was asked");
        assert!(slowest < self.longest, "{what}: health took {slowest:?}");
        slowest
    }
}

async fn ask(base: String, stop: Arc<AtomicBool>) -> (usize, Duration) {
    let (mut answers, mut slowest) = (0, Duration::ZERO);
    // Made once: to make a client takes a processor for milliseconds, which the neighbour would wait for.
    let client = crate::support::api::client_that_keeps_no_connection();
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        let request = client.get(format!("{base}/api/v1/health")).timeout(SLOWEST_HEALTH);
        let answer = Api::try_send(request).await.expect("health answers");
        assert_eq!(answer.status, 200, "{}", answer.text);
        slowest = slowest.max(began.elapsed());
        answers += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    (answers, slowest)
}
