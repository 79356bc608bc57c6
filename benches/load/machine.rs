//! What the machine says of processes: CPU seconds and memory, from `/proc`; nothing on other systems.

use std::fs;

/// CPU seconds and resident bytes of processes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// User and system time, in seconds.
    pub cpu_seconds: f64,
    /// Peak resident memory, in bytes.
    pub peak_rss: u64,
}

impl Usage {
    /// What came on top of an earlier look; the peak is the peak.
    pub fn since(self, before: Self) -> Self {
        Self { cpu_seconds: self.cpu_seconds - before.cpu_seconds, peak_rss: self.peak_rss }
    }

    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self {
            cpu_seconds: self.cpu_seconds + other.cpu_seconds,
            peak_rss: self.peak_rss.max(other.peak_rss),
        }
    }
}

/// Ticks a second of `/proc/*/stat`; Linux has had 100 on every platform for long.
const TICKS: f64 = 100.0;

/// Of one process.
pub fn of_process(pid: u32) -> Usage {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let fields: Vec<&str> = after_name.split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let peak_kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok())
        .unwrap_or(0);
    Usage { cpu_seconds: (ticks(11) + ticks(12)) / TICKS, peak_rss: peak_kib * 1024 }
}

/// Of all Postgres processes below this postmaster, finished ones included.
pub fn of_postgres(postmaster: u32) -> Usage {
    let mut total = of_process(postmaster);
    let stat = fs::read_to_string(format!("/proc/{postmaster}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let fields: Vec<&str> = after_name.split(' ').collect();
    for at in [13, 14] {
        total.cpu_seconds +=
            fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0) / TICKS;
    }
    let children =
        fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap_or_default();
    for child in children.split_whitespace().filter_map(|pid| pid.parse().ok()) {
        total.cpu_seconds += of_process(child).cpu_seconds;
    }
    total
}

/// A line that says what machine this is.
pub fn description() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown CPU", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} cores, {model}")
}
