//! Quick lanes and slow ones. A lane is quick once a request of it has ended within a second. It is slow before that, and when
//! a request takes longer: its receiver was not asked yet, answers late, or not at all.
//!
//! Slow lanes together get half of what their tenant, and half of what all tenants, may have under way. So requests that are
//! waited for, however many, leave room for those that come and go.

use std::time::Duration;

/// A request that ends within this time makes its lane quick, another makes it slow.
pub(super) const QUICK_WITHIN: Duration = Duration::from_secs(1);

/// How long the requests of a lane take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Speed {
    /// The last one took long, or none has ended yet.
    #[default]
    Slow,
    /// The last one ended soon.
    Quick,
}

impl Speed {
    /// That of a lane whose request took so long.
    pub(super) fn of(took: Duration) -> Self {
        if took <= QUICK_WITHIN { Self::Quick } else { Self::Slow }
    }
}
