//! A `uid` that moves between applications: to whom a post to it may belong, by what was answered when.

use std::sync::Mutex;

/// What the `uid` is called.
pub const UID: &str = "the-one-that-moves";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct State {
    /// Counts moves.
    moves: u32,
    /// `None` before the first move; otherwise the tenant that has it, or that had it last.
    owner: Option<usize>,
    is_moving: bool,
}

/// Where the `uid` is.
#[derive(Default)]
pub struct Moving {
    state: Mutex<State>,
}

/// What was known at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Glance(State);

impl Moving {
    /// Whether there is such a `uid` in this run.
    pub fn is_used(&self) -> bool {
        self.state.lock().unwrap().owner.is_some()
    }

    /// A move begins: from here on a post may reach either.
    pub fn begin(&self) {
        let mut state = self.state.lock().unwrap();
        state.moves += 1;
        state.is_moving = true;
    }

    /// The move was answered: from here on a post reaches this tenant alone.
    pub fn end(&self, owner: usize) {
        let mut state = self.state.lock().unwrap();
        state.owner = Some(owner);
        state.is_moving = false;
    }

    pub fn glance(&self) -> Glance {
        Glance(*self.state.lock().unwrap())
    }

    /// The tenants that a post may belong to which began at `before` and was answered just now.
    pub fn owners_since(&self, before: Glance) -> Vec<usize> {
        let now = *self.state.lock().unwrap();
        match now.owner {
            Some(owner) if before.0 == now && !now.is_moving => vec![owner],
            _ => vec![0, 1],
        }
    }
}
