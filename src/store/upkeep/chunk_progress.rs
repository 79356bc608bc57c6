//! How far a chunk brought a walk through a table.

use uuid::Uuid;

/// How far a chunk brought a walk through a table, in which a place is a key of the index that it goes along.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChunkProgress<Place = Uuid> {
    /// So many were dealt with.
    pub done: u64,
    /// Go on after this one; `None` when it was the last.
    pub next: Option<Place>,
}

impl<Place> ChunkProgress<Place> {
    /// After a chunk that read `seen` rows, of which `done` were dealt with. Where it read a full chunk, there may be more
    /// after the `last` one.
    pub(super) fn after_chunk(done: i64, seen: i64, last: Option<Place>, chunk: i64) -> Self {
        Self { done: done.unsigned_abs(), next: last.filter(|_| seen >= chunk) }
    }
}
