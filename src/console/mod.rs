//! The pages that people look at, out of the binary: the console at `/`, the portal at `/portal`, the documentation at
//! `/docs/`.
//!
//! They are built from `dashboard/` before the binary is (`make console`), and are files by then: pages, and assets with
//! a hash in their names. Paths that name no file are places within a page, which it shows by itself. A binary that was
//! built without them says how to build them. Nothing here knows who looks: the pages ask the API, as anybody does.
//!
//! Promises: what a page may load and do is said in its `Content-Security-Policy`: our own origin, and no script or style
//! within the page itself. The console is shown in no frame; the portal only where the operator lists the parent.

mod answer;
mod documentation;
mod file;
mod files;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use url::Url;

use file::File;

pub use documentation::Documentation;

/// The page of the console, and of whatever is no file.
const CONSOLE_PAGE: &str = "index.html";
/// The page of the portal.
const PORTAL_PAGE: &str = "portal.html";
/// What the built pages say where they live, until the server says it.
const BASE_AS_BUILT: &str = r#"<base href="/""#;
/// The server's own paths: what is not there is no place of a page's.
const NOT_OURS: [&str; 5] = ["api", "docs", "in", "ingest", "openapi.json"];

const HOW_TO_BUILD: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Postrider</title></head><body>\
    <h1>Postrider</h1><p>This program was built without the console. To build it in: <code>make console</code> \
    (<code>npm ci</code> and <code>npm run build</code> in <code>dashboard/</code>), and then <code>cargo build</code> again. \
    It needs Node 20.</p>\
    <p>The API is there all the same: <a href=\"docs/\">its documentation</a>.</p></body></html>\n";

/// The pages, ready to be sent.
pub struct Console {
    files: BTreeMap<String, File>,
}

impl Console {
    /// The pages that were built in, which live below the public URL.
    pub fn built_in(public_url: &Url) -> Self {
        Self::of(files::built(), public_url)
    }

    fn of(files: impl IntoIterator<Item = (String, Bytes)>, public_url: &Url) -> Self {
        let mut read: BTreeMap<String, Bytes> = files.into_iter().collect();
        read.entry(CONSOLE_PAGE.to_owned()).or_insert(Bytes::from_static(HOW_TO_BUILD.as_bytes()));
        for (path, bytes) in &mut read {
            if path.ends_with(".html") {
                *bytes = placed(bytes, public_url).into();
            }
        }
        Self { files: File::all(read) }
    }

    /// The answer to a request whose path is not the API's; `None` where no page is. `embed_origins` may show the portal
    /// in a frame.
    pub fn answer(&self, request: &Parts, embed_origins: &[String]) -> Option<Response> {
        let path = request.uri.path().trim_start_matches('/');
        let first = path.split('/').next().unwrap_or_default();
        if NOT_OURS.contains(&first) || ![Method::GET, Method::HEAD].contains(&request.method) {
            return None;
        }
        if let Some(file) = self.files.get(path) {
            return Some(answer::of_file(file, request, embed_origins));
        }
        // An asset that is gone is not to be taken for a page.
        if first == "assets" {
            return Some(not_there());
        }
        let page = if first == "portal" { PORTAL_PAGE } else { CONSOLE_PAGE };
        Some(answer::of_file(self.files.get(page)?, request, embed_origins))
    }
}

/// A page that says where it lives, so that what it names is found below any path.
fn placed(page: &[u8], public_url: &Url) -> String {
    let base = format!("{}/", public_url.path().trim_end_matches('/'));
    let base = base.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    String::from_utf8_lossy(page).replacen(BASE_AS_BUILT, &format!(r#"<base href="{base}""#), 1)
}

fn not_there() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
