//! What callers of the API may take, and strangers among them.
//!
//! The cases of overload hold the process's largest resident size against 300 MiB, at the default settings, and print
//! what it was.

mod bodies;
mod bounds;
mod caps;
mod credentials;
mod documents;
mod heads;
mod measure;
mod names;
mod pages;
mod raw;
mod strangers;
mod streams;
