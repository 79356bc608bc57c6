//! Which file is the answer to which path, and with what.

use axum::body::to_bytes;
use http::{Request, header};

use super::*;

const SCRIPT: &str = "assets/console-B1x2.js";

fn console(public_url: &str) -> Console {
    let page = |name: &str| format!("<head><base href=\"/\" /></head><script src=\"./{name}\"></script>");
    let files = [
        (CONSOLE_PAGE, page(SCRIPT)),
        (PORTAL_PAGE, page("assets/portal-C3y4.js")),
        (SCRIPT, "plain".to_owned()),
        ("assets/console-B1x2.js.br", "small".to_owned()),
        ("assets/console-B1x2.js.gz", "medium".to_owned()),
        ("index.html.br", "the page before it said where it lives".to_owned()),
        ("favicon.svg", "<svg/>".to_owned()),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), Bytes::from(text)));
    Console::of(files, &public_url.parse().unwrap())
}

fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Parts {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(()).unwrap().into_parts().0
}

fn get(path: &str, headers: &[(&str, &str)]) -> Response {
    console("http://h/").answer(&request("GET", path, headers), &[]).unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().into()).unwrap()
}

fn said<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn places_within_a_page_are_the_page() {
    for path in ["/", "/applications/app_1", "/sign-in?problem=x", "/portals", "/index.html"] {
        assert!(text(get(path, &[])).await.contains("console-"), "{path}");
    }
    for path in ["/portal", "/portal/", "/portal/endpoints/ep_1", "/portal.html"] {
        assert!(text(get(path, &[])).await.contains("portal-"), "{path}");
    }
    assert_eq!(get("/assets/console-old.js", &[]).status(), StatusCode::NOT_FOUND);
}

#[test]
fn what_is_the_servers_own_is_no_place_of_a_page() {
    let console = console("http://h/");
    for path in
        ["/api", "/api/v1/nothing", "/docs/nothing", "/in/abc", "/openapi.json", "/ingest/api", "//api/v1"]
    {
        assert!(console.answer(&request("GET", path, &[]), &[]).is_none(), "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        assert!(console.answer(&request(method, "/applications", &[]), &[]).is_none(), "{method}");
    }
    assert!(console.answer(&request("GET", "/apiary", &[]), &[]).is_some());
}

#[tokio::test]
async fn pages_say_where_they_live() {
    for (url, base) in [("http://h/", "/"), ("https://h/hooks", "/hooks/"), ("https://h/a/b/", "/a/b/")] {
        let answer = console(url).answer(&request("GET", "/", &[]), &[]).unwrap();
        let page = text(answer).await;
        assert!(page.contains(&format!("<base href=\"{base}\" />")), "{page}");
    }
}

#[tokio::test]
async fn the_smallest_form_that_is_accepted_goes_out() {
    let path = format!("/{SCRIPT}");
    for (accepted, encoding, body) in [
        ("gzip, deflate, br, zstd", "br", "small"),
        ("gzip;q=1.0, br;q=0", "gzip", "medium"),
        ("BR", "br", "small"),
        ("identity", "", "plain"),
        ("", "", "plain"),
    ] {
        let answer = get(&path, &[("accept-encoding", accepted)]);
        assert_eq!((said(&answer, "content-encoding"), said(&answer, "vary")), (encoding, "accept-encoding"));
        assert_eq!(said(&answer, "content-length"), body.len().to_string());
        assert_eq!(text(answer).await, body, "{accepted}");
    }
    // It was changed after its smaller form was made.
    assert_eq!(said(&get("/", &[("accept-encoding", "br")]), "content-encoding"), "");
}

#[tokio::test]
async fn hashed_files_are_kept_for_ever_and_others_are_asked_for_again() {
    assert!(said(&get(&format!("/{SCRIPT}"), &[]), "cache-control").contains("immutable"));
    for path in ["/", "/portal", "/favicon.svg"] {
        let answer = get(path, &[]);
        assert_eq!(said(&answer, "cache-control"), "no-cache", "{path}");
        let etag = said(&answer, "etag").to_owned();
        let again = get(path, &[("if-none-match", &format!("\"x\", W/{etag}"))]);
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(text(again).await, "");
        assert_eq!(get(path, &[("if-none-match", "\"x\"")]).status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_head_has_no_body() {
    let answer = console("http://h/").answer(&request("HEAD", "/favicon.svg", &[]), &[]).unwrap();
    assert_eq!((said(&answer, "content-length"), said(&answer, "content-type")), ("6", "image/svg+xml"));
    assert_eq!(text(answer).await, "");
}

#[test]
fn pages_may_do_little_and_only_the_portal_is_shown_in_frames_that_are_listed() {
    let console = console("http://h/");
    let parents = ["https://app.example".to_owned(), "https://b.example".to_owned()];
    let policy = |path: &str, parents: &[String]| {
        let answer = console.answer(&request("GET", path, &[]), parents).unwrap();
        assert_eq!(said(&answer, "x-content-type-options"), "nosniff");
        assert_eq!(said(&answer, "referrer-policy"), "no-referrer");
        let policy = said(&answer, "content-security-policy").to_owned();
        assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"), "{policy}");
        (policy, said(&answer, "x-frame-options").to_owned())
    };
    let (none, listed) = ("frame-ancestors 'none'", "frame-ancestors https://app.example https://b.example");
    for parents in [&parents[..], &[]] {
        let (policy, frames) = policy("/", parents);
        assert!(policy.ends_with(none) && frames == "DENY", "{policy}");
    }
    assert!(policy("/portal", &parents).0.ends_with(listed));
    assert!(policy("/portal/x", &[]).0.ends_with(none));
    // What cannot be said leaves nobody in.
    assert!(console.answer(&request("GET", "/portal", &[]), &["a\nb".to_owned()]).is_some_and(|answer| {
        said(&answer, "content-security-policy") == "default-src 'none'; frame-ancestors 'none'"
    }));
}

#[tokio::test]
async fn a_program_without_pages_says_how_to_build_them() {
    let console = Console::of([], &"http://h/".parse().unwrap());
    let answer = console.answer(&request("GET", "/", &[]), &[]).unwrap();
    assert!(said(&answer, header::CONTENT_TYPE.as_str()).starts_with("text/html"));
    assert!(text(answer).await.contains("npm run build"));
    assert!(console.answer(&request("GET", "/portal", &[]), &[]).is_none());
}
