//! Semaphores that count bytes, in KiB.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// A permit is so many bytes.
pub(super) const KIB: usize = 1 << 10;

/// A semaphore of so many bytes, in KiB.
pub(super) fn semaphore(bytes: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new((bytes / KIB).clamp(1, Semaphore::MAX_PERMITS)))
}

/// As many permits as these bytes take.
pub(super) fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(KIB)).unwrap_or(u32::MAX)
}
