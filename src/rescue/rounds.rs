//! Where the round through all deliveries stands. It rests between two rounds, so that a small database is not read all
//! the time.

use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::store::DeliveryKey;

/// A round begins this long after the one before it began, or when that has ended.
const ROUND_EVERY: Duration = Duration::from_secs(15);

/// The round that is under way, or the rest before the next.
#[derive(Debug)]
pub(super) struct Rounds {
    began_at: Instant,
    /// The last delivery that was looked at; `None` at rest.
    place: Option<DeliveryKey>,
}

impl Default for Rounds {
    fn default() -> Self {
        Self { began_at: Instant::now(), place: Some(beginning()) }
    }
}

impl Rounds {
    /// Behind which delivery to go on; `None` while it rests.
    pub(super) fn place(&mut self) -> Option<DeliveryKey> {
        if self.place.is_none() && self.began_at.elapsed() >= ROUND_EVERY {
            *self = Self::default();
        }
        self.place
    }

    /// A look went to there, or to the end.
    pub(super) fn went_to(&mut self, last: Option<DeliveryKey>) {
        self.place = last;
    }
}

fn beginning() -> DeliveryKey {
    (Uuid::nil().into(), Uuid::nil().into())
}
