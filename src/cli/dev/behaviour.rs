//! How endpoints of the demonstration behave, so that each state of an endpoint is seen.

/// How an endpoint behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour {
    /// It answers 200.
    Works,
    /// It answers 200, and takes its time.
    Slow,
    /// It is paused from the start, and would work.
    Paused,
    /// It fails for a while, then works, in turns.
    Flaky,
    /// It answers 503.
    Broken,
    /// It never answers.
    Silent,
    /// It answers 410, for which it is disabled.
    Gone,
}

impl Behaviour {
    /// Whether it answers 2xx, while the flaky one fails or does not.
    pub(super) const fn works(self, failing: bool) -> bool {
        match self {
            Self::Works | Self::Slow | Self::Paused => true,
            Self::Flaky => !failing,
            Self::Broken | Self::Silent | Self::Gone => false,
        }
    }

    /// How it stands, while the flaky one fails or does not.
    pub(super) const fn standing(self, failing: bool) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Slow => "works slowly",
            Self::Paused => "paused",
            Self::Flaky if failing => "fails just now",
            Self::Flaky => "works again",
            Self::Broken => "answers 503",
            Self::Silent => "never answers",
            Self::Gone => "gone, disabled",
        }
    }

    /// What happens to a request that is not answered 2xx.
    pub(super) const fn failure(self) -> &'static str {
        match self {
            Self::Silent => "does not answer",
            Self::Gone => "answers 410",
            Self::Broken => "answers 503",
            Self::Works | Self::Slow | Self::Paused | Self::Flaky => "answers 500",
        }
    }

    /// Whether a message is tried again after a failure.
    pub(super) const fn is_retried(self) -> bool {
        !matches!(self, Self::Gone)
    }
}
