//! What an operator sees of a process: its log (`logs.rs`) and its metrics (`metrics/`). It imports nothing of ours, so that
//! every part can say what it does.

pub mod logs;
pub mod metrics;

pub use logs::LogFormat;
pub use logs::LogOptions;
pub use logs::TelemetryError;
pub use logs::start;
