//! Handles that are found by a name: of statements, and of errors that are answered. There are as many names as the
//! code has, and a bound all the same.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// More names than this are not kept apart.
const MOST_NAMES: usize = 1_000;
/// What has no name, or comes on top.
pub(super) const OTHER: &str = "other";

/// Handles by name.
pub(super) struct ByName<T> {
    known: RwLock<HashMap<Box<str>, T>>,
}

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self { known: RwLock::default() }
    }
}

impl<T: Clone> ByName<T> {
    /// The handle of this name, made the first time.
    pub(super) fn of(&self, name: &str, make: impl FnOnce() -> T) -> T {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        known.unwrap_or_else(|| {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.entry(name.into()).or_insert_with(make).clone()
        })
    }

    /// The name itself, or [`OTHER`] when there is no room for one more.
    pub(super) fn kept<'a>(&self, name: &'a str) -> &'a str {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST_NAMES || known.contains_key(name) { name } else { OTHER }
    }
}
