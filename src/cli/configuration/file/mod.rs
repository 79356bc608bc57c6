//! An environment's configuration as a file: YAML, in one order, without what is as by default, so that two files differ
//! where two environments do. A file says its format's version; secrets in it are sealed with a passphrase.

mod entry;
mod read;
mod sealing;
mod write;

pub(super) use read::{Opening, parse};
pub(super) use sealing::Sealer;
pub(super) use write::text;

/// The version of the format.
const VERSION: u64 = 1;
