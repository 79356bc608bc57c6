//! One file with its smaller forms, which were made when it was built: `x.js`, `x.js.br`, `x.js.gz`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;
use http::HeaderValue;
use sha2::{Digest, Sha256};

/// Forms of a file, the smallest first: how they are called over HTTP, and the ends of their names.
const FORMS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];
/// Of the hash, so many bytes tell one version from another.
const TAG_BYTES: usize = 12;

/// A file.
#[derive(Debug)]
pub(super) struct File {
    pub(super) plain: Bytes,
    /// By how they are called over HTTP, the smallest first.
    pub(super) encoded: Vec<(&'static str, Bytes)>,
    pub(super) content_type: &'static str,
    pub(super) etag: HeaderValue,
    pub(super) kind: FileKind,
}

/// How a file is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// The console's page.
    Console,
    /// The portal's page.
    Portal,
    /// Named after its contents, so it never changes.
    Hashed,
    /// Any other.
    Plain,
}

impl FileKind {
    fn of(path: &str) -> Self {
        match path {
            super::PORTAL_PAGE => Self::Portal,
            _ if path.ends_with(".html") => Self::Console,
            _ if path.starts_with("assets/") => Self::Hashed,
            _ => Self::Plain,
        }
    }
}

impl File {
    /// All files, by their paths. What is only a form of another is no file of its own.
    pub(super) fn all(mut read: BTreeMap<String, Bytes>) -> BTreeMap<String, Self> {
        let is_form = |path: &String, read: &BTreeMap<String, Bytes>| {
            FORMS.iter().any(|(_, end)| path.strip_suffix(end).is_some_and(|whole| read.contains_key(whole)))
        };
        let paths: Vec<String> = read.keys().filter(|path| !is_form(path, &read)).cloned().collect();
        let mut files = BTreeMap::new();
        for path in paths {
            let forms = FORMS.map(|(name, end)| (name, read.remove(&format!("{path}{end}"))));
            let Some(plain) = read.remove(&path) else { continue };
            // A page was changed after its forms were made.
            let is_page = path.ends_with(".html");
            let forms = forms.into_iter().filter(|_| !is_page);
            let encoded = forms.filter_map(|(name, bytes)| Some((name, bytes?))).collect();
            let file = Self {
                encoded,
                content_type: content_type(&path),
                etag: etag(&plain),
                kind: FileKind::of(&path),
                plain,
            };
            files.insert(path, file);
        }
        files
    }
}

fn etag(bytes: &[u8]) -> HeaderValue {
    let mut text = "\"".to_owned();
    for byte in Sha256::digest(bytes).iter().take(TAG_BYTES) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.push('"');
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
