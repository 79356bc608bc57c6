//! What the process takes of its machine, under the names that Prometheus' own clients use.

use std::fmt::Write as _;
use std::time::Duration;

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage};

use super::catalogue as all;
use super::maker::Maker;
use super::values::float;

/// Sets the gauges of the process. What the system does not tell is left out.
pub(super) fn measure(maker: &Maker, started_at: i64) {
    let set = |metric, value: Option<u64>| {
        if let Some(value) = value {
            maker.gauge(metric, &[]).set(float(value));
        }
    };
    set(all::PROCESS_MEMORY, resident_bytes());
    set(all::PROCESS_FDS, open_descriptors());
    set(all::PROCESS_FDS_LIMIT, getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft));
    set(all::PROCESS_START, u64::try_from(started_at).ok());
}

/// The time of processors, as text: counters are whole numbers otherwise.
pub(super) fn cpu_text() -> String {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return String::new() };
    let time = |value: nix::sys::time::TimeVal| {
        let (seconds, micros) = (value.tv_sec(), value.tv_usec());
        Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
            + Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    };
    let used = time(usage.user_time()) + time(usage.system_time());
    let metric = all::PROCESS_CPU;
    let mut text = String::new();
    // Writing to a text does not fail.
    let _ = writeln!(text, "# HELP {} {}", metric.name, metric.help);
    let _ = writeln!(text, "# TYPE {} {}", metric.name, metric.kind.name());
    let _ = writeln!(text, "{} {:.2}", metric.name, used.as_secs_f64());
    text
}

fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

fn open_descriptors() -> Option<u64> {
    let open = std::fs::read_dir("/proc/self/fd").ok()?.count();
    // One of them is open for this look.
    u64::try_from(open.saturating_sub(1)).ok()
}
