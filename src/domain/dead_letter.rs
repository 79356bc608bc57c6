//! Why a delivery died.

/// Why a delivery became a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeathReason {
    /// Every attempt of the schedule failed.
    Exhausted,
    /// The receiver answered 410.
    Gone,
    /// No request could be built for it.
    Unsendable,
    /// Its endpoint stayed disabled for longer than deliveries are held.
    HoldExpired,
    /// Its endpoint was deleted.
    EndpointDeleted,
}

impl DeathReason {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Exhausted, Self::Gone, Self::Unsendable, Self::HoldExpired, Self::EndpointDeleted];

    /// As stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Gone => "gone",
            Self::Unsendable => "unsendable",
            Self::HoldExpired => "hold_expired",
            Self::EndpointDeleted => "endpoint_deleted",
        }
    }
}
