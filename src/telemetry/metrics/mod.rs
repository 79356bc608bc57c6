//! Metrics for Prometheus. Every part counts where it works, over handles that it keeps: a counter costs a relaxed atomic,
//! and without a listener for metrics nothing at all. What can be read when somebody asks is read then (`gauges.rs`).
//!
//! The catalogue has every metric; `docs/metrics.md` is held against it.

pub mod catalogue;
mod gauges;
mod handles;
mod maker;
mod named;
mod process;
mod statement;
mod values;

use std::sync::{LazyLock, OnceLock};

use metrics_exporter_prometheus::{BuildError, PrometheusHandle};

use maker::Maker;

pub use gauges::BudgetGauges;
pub use gauges::Gauges;
pub use handles::Metrics;
pub use handles::NoticeResult;
pub use handles::PoolMetrics;
pub use handles::time_statement;
pub use statement::StatementTimer;
pub use values::count;
pub use values::record;
pub use values::set;

/// Metrics that are kept, and what renders them.
struct Installed {
    metrics: Metrics,
    handle: PrometheusHandle,
    started_at: i64,
}

static INSTALLED: OnceLock<Installed> = OnceLock::new();
static NOTHING: LazyLock<Metrics> = LazyLock::new(|| Metrics::new(Maker::of_nothing(), false));

/// What this process counts.
#[must_use]
pub fn current() -> &'static Metrics {
    INSTALLED.get().map_or_else(|| &*NOTHING, |installed| &installed.metrics)
}

/// Counts from here on. What was made before goes on counting nothing, so this comes before everything else.
///
/// # Errors
/// When the bounds of a histogram are not valid.
pub fn install(started_at: i64) -> Result<(), BuildError> {
    let recorder = maker::recorder()?;
    let handle = recorder.handle();
    // Where metrics are kept already (several nodes in the process of a test), they are shared.
    let _ = INSTALLED.set(Installed { metrics: Metrics::new(Maker::of(recorder), true), handle, started_at });
    Ok(())
}

/// Takes into the histograms what was recorded since, so that it does not pile up while nobody asks.
pub fn take_in() {
    if let Some(installed) = INSTALLED.get() {
        installed.handle.run_upkeep();
    }
}

/// All metrics, as Prometheus reads them.
#[must_use]
pub fn render() -> String {
    let Some(installed) = INSTALLED.get() else { return String::new() };
    process::measure(&installed.metrics.maker, installed.started_at);
    installed.handle.render() + &process::cpu_text()
}
