//! What an operator sees of a process: its log (`logs.rs`), its metrics (`metrics/`) and its traces (`traces/`). It imports
//! nothing of ours but what a trace's context is, so that every part can say what it does.

pub mod logs;
pub mod metrics;
mod statement_name;
pub mod traces;

pub use logs::LogFormat;
pub use logs::LogOptions;
pub use logs::TelemetryError;
pub use logs::start;
