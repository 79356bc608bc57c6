//! The documentation at `/docs/`, as a site of pages that need no network. It is built from `docs/` before the binary is
//! (`make docs`). A binary that was built without it says how to build it, and has the reference of the API all the same.
//!
//! Pages have no `.html` in their addresses. As built they live below `/docs/`; where the public URL has a path, that is put
//! before it.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use url::Url;

use super::answer;
use super::file::File;
use super::files;

/// Where it lives, as built.
const BASE: &str = "/docs/";
const FIRST_PAGE: &str = "index.html";
/// The page that says that a page is not there.
const NO_PAGE: &str = "404.html";

const HOW_TO_BUILD: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Postrider</title></head><body>\
    <h1>Postrider</h1><p>This program was built without its documentation. To build it in: <code>make docs</code>, and then \
    <code>cargo build</code> again. It needs Node 20.</p>\
    <p>The reference of the API is there all the same: <a href=\"/docs/api/\">it is here</a>.</p></body></html>\n";

/// The pages, ready to be sent.
pub struct Documentation {
    files: BTreeMap<String, File>,
}

impl Documentation {
    /// The pages that were built in, which live below the public URL.
    pub fn built_in(public_url: &Url) -> Self {
        Self::of(files::documentation(), public_url)
    }

    pub(super) fn of(files: impl IntoIterator<Item = (String, Bytes)>, public_url: &Url) -> Self {
        let mut read: BTreeMap<String, Bytes> = files.into_iter().collect();
        read.entry(FIRST_PAGE.to_owned()).or_insert(Bytes::from_static(HOW_TO_BUILD.as_bytes()));
        let above = public_url.path().trim_end_matches('/');
        if !above.is_empty() {
            // The smaller forms were made before.
            read.retain(|path, _| !path.ends_with(".br") && !path.ends_with(".gz"));
            for (path, bytes) in &mut read {
                if [".html", ".js", ".css"].iter().any(|end| path.ends_with(end)) {
                    *bytes = placed(bytes, above).into();
                }
            }
        }
        Self { files: File::all(read) }
    }

    /// The answer to a request below `/docs`; `None` for every other.
    pub fn answer(&self, request: &Parts) -> Option<Response> {
        let path = request.uri.path();
        let within = if path == BASE.trim_end_matches('/') { "" } else { path.strip_prefix(BASE)? };
        if ![Method::GET, Method::HEAD].contains(&request.method) {
            return None;
        }
        let found = self.find(within);
        if let Some(file) = found {
            return Some(answer::of_file(file, request, &[]));
        }
        let mut response = self
            .files
            .get(NO_PAGE)
            .map_or_else(|| Response::new(Body::empty()), |page| answer::of_file(page, request, &[]));
        *response.status_mut() = StatusCode::NOT_FOUND;
        Some(response)
    }

    fn find(&self, path: &str) -> Option<&File> {
        let folder = path.trim_end_matches('/');
        let names = [path.to_owned(), format!("{folder}.html"), format!("{folder}/{FIRST_PAGE}")];
        let first = folder.is_empty().then_some(FIRST_PAGE);
        first.into_iter().chain(names.iter().map(String::as_str)).find_map(|name| self.files.get(name))
    }
}

/// A file whose own addresses begin with the path of the public URL. They are the ones behind a quotation mark or a bracket.
fn placed(bytes: &[u8], above: &str) -> String {
    let text = String::from_utf8_lossy(bytes).into_owned();
    ['"', '\'', '`', '('].iter().fold(text, |text, before| {
        text.replace(&format!("{before}{BASE}"), &format!("{before}{above}{BASE}"))
    })
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use http::Request;

    use super::*;

    fn documentation(public_url: &str) -> Documentation {
        let files = [
            (FIRST_PAGE, "<a href=\"/docs/concepts\">first</a>"),
            ("concepts.html", "<script src=\"/docs/assets/a.B1.js\"></script>"),
            ("ko/index.html", "first, in Korean"),
            ("404.html", "no such page"),
            ("assets/a.B1.js", "const base='/docs/'; // not docs/console.md"),
            ("assets/a.B1.js.br", "smaller"),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), Bytes::from(text)));
        Documentation::of(files, &public_url.parse().unwrap())
    }

    async fn get(documentation: &Documentation, path: &str) -> (u16, String) {
        let request = Request::builder().uri(path).body(()).unwrap().into_parts().0;
        let response = documentation.answer(&request).unwrap();
        let status = response.status().as_u16();
        (status, String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().into()).unwrap())
    }

    #[tokio::test]
    async fn pages_are_found_without_their_ending() {
        let documentation = documentation("http://h/");
        for (path, wanted) in [
            ("/docs", "concepts\">first"),
            ("/docs/", "concepts\">first"),
            ("/docs/concepts", "<script"),
            ("/docs/concepts/", "<script"),
            ("/docs/ko/", "in Korean"),
        ] {
            let (status, text) = get(&documentation, path).await;
            assert!(status == 200 && text.contains(wanted), "{path}: {text}");
        }
        assert_eq!(get(&documentation, "/docs/nothing").await, (404, "no such page".to_owned()));
        let other = Request::builder().uri("/docsandmore").body(()).unwrap().into_parts().0;
        assert!(documentation.answer(&other).is_none());
    }

    #[tokio::test]
    async fn its_addresses_follow_the_public_url() {
        let documentation = documentation("https://h/hooks/");
        assert!(get(&documentation, "/docs/").await.1.contains("\"/hooks/docs/concepts\""));
        let script = get(&documentation, "/docs/assets/a.B1.js").await.1;
        assert_eq!(script, "const base='/hooks/docs/'; // not docs/console.md");
    }

    #[tokio::test]
    async fn a_program_without_it_says_how_to_build_it() {
        let documentation = Documentation::of([], &"http://h/".parse().unwrap());
        assert!(get(&documentation, "/docs/").await.1.contains("make docs"));
        assert_eq!(get(&documentation, "/docs/nothing").await, (404, String::new()));
    }
}
