//! A stretch of a list: where to start, which way, and how far.

/// Reads `limit` items after a place, in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan<K> {
    /// Start after this one; `None` starts at the end of the list that the direction begins with.
    pub after: Option<K>,
    /// Towards greater keys.
    pub ascending: bool,
    /// At most this many.
    pub limit: i64,
}
