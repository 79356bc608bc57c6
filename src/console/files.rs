//! The files of `dashboard/dist`, put into the binary when it is built. `build.rs` makes the folder where it is not there.

use rust_embed::Embed;

/// What `npm run build` made, without what only tools read.
#[derive(Embed)]
#[folder = "dashboard/dist"]
#[exclude = ".vite/*"]
#[exclude = "*.map"]
#[allow_missing = true]
pub(super) struct BuiltFiles;
