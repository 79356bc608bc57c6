//! How a path names an object: by our id, or by the caller's own `uid`. The two never overlap, because a `uid` may not
//! start with the prefix of our ids for its own kind of object. Ids of another kind are names like any other.

use std::str::FromStr;

use uuid::Uuid;

/// An id or a `uid`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference<I> {
    /// One of our ids.
    Id(I),
    /// The caller's own name for it.
    Uid(String),
}

impl<I: FromStr> Reference<I> {
    /// What the text names: an id when it reads as one, a `uid` otherwise.
    pub fn parse(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Uid(text.to_owned()), Self::Id)
    }
}

impl<I: Copy + Into<Uuid>> Reference<I> {
    /// The id as the database has it, when that is what it is.
    pub fn id(&self) -> Option<Uuid> {
        match self {
            Self::Id(id) => Some((*id).into()),
            Self::Uid(_) => None,
        }
    }

    /// The `uid`, when that is what it is.
    pub fn uid(&self) -> Option<&str> {
        match self {
            Self::Id(_) => None,
            Self::Uid(uid) => Some(uid),
        }
    }
}
