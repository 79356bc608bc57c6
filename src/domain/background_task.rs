//! Background tasks: long operations with progress.

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskKind {
    /// Replays the dead letters of a filter.
    Replay,
    /// Discards them.
    Discard,
}

impl TaskKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Replay, Self::Discard];

    /// As stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replay => "dead_letter.replay",
            Self::Discard => "dead_letter.discard",
        }
    }

    /// From the name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// Under way, or waiting for a node.
    Running,
    /// Through.
    Finished,
    /// Given up.
    Failed,
}

impl TaskState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Running, Self::Finished, Self::Failed];

    /// As stored and shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Failed => "failed",
        }
    }

    /// From the name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// How far a task has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Dead letters that it moved.
    pub done: i64,
    /// Dead letters that matched when it was created.
    pub total: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for kind in TaskKind::ALL {
            assert_eq!(TaskKind::from_name(kind.name()), Some(kind));
        }
        for state in TaskState::ALL {
            assert_eq!(TaskState::from_name(state.name()), Some(state));
        }
        assert_eq!(TaskKind::from_name("dead_letter.forget"), None);
        assert_eq!(TaskState::from_name(""), None);
    }
}
