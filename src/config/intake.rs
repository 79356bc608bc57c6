//! What callers of the API may take of a node: connections, time, memory.

use std::time::Duration;

/// What callers of the API may take of a node.
#[derive(Debug, Clone)]
pub struct IntakeOptions {
    /// Connections at a time.
    pub max_connections: u32,
    /// HTTP/2 requests at a time on one connection.
    pub max_streams: u32,
    /// How long the head of a request may take.
    pub head_timeout: Duration,
    /// How long the body of a request may take.
    pub body_timeout: Duration,
    /// How long an answer may take, and as long again for the caller to take it.
    pub answer_timeout: Duration,
    /// How long a connection is kept without a request.
    pub idle_timeout: Duration,
    /// What the bodies of requests under way may take, all together.
    pub body_budget_bytes: usize,
    /// What large answers under way may take, all together.
    pub answer_budget_bytes: usize,
    /// The payloads that one page of a list shows at most.
    pub page_bytes: usize,
}
