//! What waits in lanes.

use crate::domain::id::MessageId;

/// What goes through a lane.
pub(in crate::dispatch) trait Queued {
    /// For a first attempt its message, whose id says when it was accepted; `None` for what was tried before.
    fn first_attempt_of(&self) -> Option<MessageId> {
        None
    }

    /// Whether it is a part of a backlog that was let go.
    fn is_backlog(&self) -> bool {
        false
    }
}
