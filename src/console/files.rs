//! The files of `dashboard/dist` and of the built documentation, put into the binary when it is built; a debug build reads
//! them when it starts. `build.rs` makes the folders where they are not there.

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

/// What `npm run build` made in `docs/`.
#[derive(Embed)]
#[folder = "docs/.vitepress/dist"]
#[exclude = ".built-from"]
#[exclude = "hashmap.json"]
#[allow_missing = true]
struct BuiltDocumentation;

/// The files of the console and the portal, each with its path.
pub(super) fn built() -> impl Iterator<Item = (String, Bytes)> {
    all_of::<BuiltFiles>()
}

/// The files of the documentation, each with its path.
pub(super) fn documentation() -> impl Iterator<Item = (String, Bytes)> {
    all_of::<BuiltDocumentation>()
}

fn all_of<Files: Embed>() -> impl Iterator<Item = (String, Bytes)> {
    Files::iter().filter_map(|path| {
        let bytes = match Files::get(&path)?.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        Some((path.into_owned(), bytes))
    })
}
