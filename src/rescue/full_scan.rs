//! The position of the scan of all deliveries. There is a pause between two scans, so that a small database is not read
//! without end.

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::store::DeliveryKey;

/// A scan begins this long after the one before it began, or when that has ended.
const SCAN_INTERVAL: Duration = Duration::from_secs(15);

/// A scan that is under way, or the pause before the next.
#[derive(Debug)]
pub(super) struct FullScan {
    began_at: Instant,
    /// The last delivery that was read; `None` in the pause.
    position: Option<DeliveryKey>,
}

impl Default for FullScan {
    fn default() -> Self {
        Self { began_at: Instant::now(), position: Some((Uuid::nil().into(), Uuid::nil().into())) }
    }
}

impl FullScan {
    /// After which delivery to go on; `None` in the pause.
    pub(super) fn position(&mut self) -> Option<DeliveryKey> {
        if self.position.is_none() && self.began_at.elapsed() >= SCAN_INTERVAL {
            *self = Self::default();
        }
        self.position
    }

    /// Everything was read up to this delivery; `None` for the end.
    pub(super) fn advance(&mut self, last: Option<DeliveryKey>) {
        self.position = last;
    }
}
