//! The files of `dashboard/dist`, put into the binary when it is built; a debug build reads them when it starts. `build.rs`
//! makes the folder where it is not there.

use std::borrow::Cow;

use bytes::Bytes;
use rust_embed::Embed;

/// What `npm run build` made, without what only tools read.
#[derive(Embed)]
#[folder = "dashboard/dist"]
#[exclude = ".vite/*"]
#[exclude = "*.map"]
#[allow_missing = true]
struct BuiltFiles;

/// All of them, each with its path.
pub(super) fn built() -> impl Iterator<Item = (String, Bytes)> {
    BuiltFiles::iter().filter_map(|path| {
        let bytes = match BuiltFiles::get(&path)?.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        Some((path.into_owned(), bytes))
    })
}
