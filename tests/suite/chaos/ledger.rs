//! What was posted: each number with the tenants that it may reach, how it was posted, and what was answered.

use std::sync::Mutex;
use std::time::Instant;

use postrider::domain::id::MessageId;

/// What keeps a repeated post from making a second message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// An idempotency key.
    Key,
    EventId,
    /// Nothing: a post whose answer was lost may be there twice.
    Nothing,
}

/// What a post was answered with in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// 202, with the message's id.
    Message(MessageId),
    /// 409 for an `eventId`: the message is there under that `eventId`.
    EventIdTaken,
}

/// One number.
#[derive(Debug, Clone)]
pub struct Post {
    /// The tenants that it may belong to: one, or both between which a `uid` was moving.
    pub tenants: Vec<usize>,
    pub means: Means,
    pub accepted: Option<Accepted>,
    pub accepted_at: Option<Instant>,
    /// How often it was sent without an answer, or with one that leaves open whether it was stored.
    pub unknown: u32,
    /// The last answer that was neither 202 nor a request to come back.
    pub refusal: Option<String>,
    /// A probe: it measures, and may be given up.
    pub is_optional: bool,
}

/// All numbers of a run.
#[derive(Default)]
pub struct Ledger {
    posts: Mutex<Vec<Post>>,
}

impl Ledger {
    /// The next number.
    pub fn begin(&self, post: Post) -> u32 {
        let mut posts = self.posts.lock().unwrap();
        posts.push(post);
        u32::try_from(posts.len() - 1).unwrap()
    }

    pub fn change(&self, number: u32, change: impl FnOnce(&mut Post)) {
        change(&mut self.posts.lock().unwrap()[usize::try_from(number).unwrap()]);
    }

    pub fn accepted(&self, number: u32) -> Option<Accepted> {
        self.posts.lock().unwrap()[usize::try_from(number).unwrap()].accepted
    }

    pub fn len(&self) -> usize {
        self.posts.lock().unwrap().len()
    }

    /// All posts, in the order of their numbers.
    pub fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap().clone()
    }
}
