//! How long things may take on a connection.

use std::time::Duration;

/// How long things may take on the connections of a pool.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Limits {
    /// Connections at most.
    pub(in crate::store) connections: usize,
    /// Waiting for one of them to be free, and, separately, for a new one to be made.
    pub(in crate::store) acquire: Duration,
    /// The answer to a statement, on this side. The server gives up a second sooner.
    pub(in crate::store) statement: Duration,
    /// A lock that somebody else holds.
    pub(in crate::store) lock: Duration,
    /// Whether a connection is asked each time whether it lives.
    pub(in crate::store) test_each: bool,
}

impl Limits {
    /// The server's settings that go with them.
    pub(in crate::store) fn settings(self) -> [(&'static str, String); 2] {
        let server = self.statement.saturating_sub(Duration::from_secs(1)).max(Duration::from_millis(500));
        let ms = |limit: Duration| format!("{}ms", limit.as_millis());
        [("statement_timeout", ms(server)), ("lock_timeout", ms(self.lock.min(server)))]
    }
}
