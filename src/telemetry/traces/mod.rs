//! Traces, sent to a collector over OTLP (HTTP, protobuf). A trace goes from a request, over the queue, in which the message keeps
//! its context, to each attempt and what recorded it; with the statements that were run for it.
//!
//! Without a collector, and for what is not sampled, there is no span: whoever would make one looks at a constant and goes on.

mod export;
mod span;

pub use export::TraceError;
pub use export::TraceOptions;
pub use export::flush;
pub use export::install;
pub use span::Span;
pub use span::current;
pub use span::of_message;
pub use span::of_request;
pub use span::of_statement;
