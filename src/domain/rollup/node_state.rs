//! How a node is, by what was last heard of it.

use serde::Serialize;
use utoipa::ToSchema;

/// Without a heartbeat for longer than this a node is silent.
const SILENT_AFTER_SECONDS: f64 = 5.0;
/// And for longer than this it has stopped: another node takes its work over.
const STOPPED_AFTER_SECONDS: f64 = 20.0;

/// How a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// Its heart beats.
    Running,
    /// It has not been heard of for five seconds.
    Silent,
    /// It has not been heard of for twenty, or its work was taken over, or it left by itself.
    Stopped,
}

impl NodeState {
    /// `is_registered` while nobody took its work over, `has_left` when it said so itself.
    pub fn of(beat_age_seconds: f64, is_registered: bool, has_left: bool) -> Self {
        if !is_registered || has_left || beat_age_seconds > STOPPED_AFTER_SECONDS {
            Self::Stopped
        } else if beat_age_seconds > SILENT_AFTER_SECONDS {
            Self::Silent
        } else {
            Self::Running
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_silent_after_five_seconds_and_stopped_after_twenty() {
        let states = [0.0, 5.0, 5.1, 20.0, 20.1].map(|age| NodeState::of(age, true, false));
        let [running, silent, stopped] = [NodeState::Running, NodeState::Silent, NodeState::Stopped];
        assert_eq!(states, [running, running, silent, silent, stopped]);
    }

    #[test]
    fn what_was_taken_over_or_has_left_is_stopped_at_once() {
        assert_eq!(NodeState::of(0.1, false, false), NodeState::Stopped);
        assert_eq!(NodeState::of(0.1, true, true), NodeState::Stopped);
    }
}
