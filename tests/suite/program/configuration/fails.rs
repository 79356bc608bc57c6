//! Imports that fail: what is wrong is said, and the next one does the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use super::{Shell, furnish, text};
use crate::program::shell::{complaint, stdout};
use crate::support::api::client;

/// A way to a server that breaks at its n-th write, and asks to wait at the first one.
#[derive(Clone)]
struct Way {
    to: String,
    writes: Arc<AtomicUsize>,
    breaks_at: usize,
}

impl Way {
    /// Returns its URL.
    async fn open(to: String, breaks_at: usize) -> String {
        let way = Self { to, writes: Arc::default(), breaks_at };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass).with_state(way);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        url
    }
}

async fn pass(State(way): State<Way>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if head.method != http::Method::GET {
        let number = way.writes.fetch_add(1, Ordering::SeqCst);
        if number == 0 {
            return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")]).into_response();
        }
        if number >= way.breaks_at {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    }
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let request = client().request(head.method, format!("{}{}", way.to, head.uri));
    let answer = request.headers(head.headers).body(body).send().await.unwrap();
    (answer.status(), answer.bytes().await.unwrap()).into_response()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_breaks_off_is_done_by_the_next_one() {
    let shell = Shell::start().await;
    furnish(&shell.api("org_test")).await;
    let file = shell.file("acme.yaml");
    let path = file.to_str().unwrap();
    stdout(&shell.run("org_test", &["export", "-o", path]));

    // The first write is asked to wait, and comes again; the fifth breaks.
    let way = Way::open(shell.url(), 5).await;
    let broken = shell.run_at(&way, "org_other", &["import", path], super::PASSPHRASE);
    let said = String::from_utf8(broken.stdout.clone()).unwrap();
    assert!(
        said.contains("NOT DONE") && said.contains("1 created, 3 changed, 0 removed, 10 not done"),
        "{said}"
    );
    let complained = complaint(&broken);
    assert!(complained.contains("the import stopped") && complained.contains("import again"), "{complained}");
    let said = stdout(&shell.run("org_other", &["import", path]));
    assert!(said.ends_with("10 created, 0 changed, 0 removed\n"), "{said}");
    assert_eq!(stdout(&shell.run("org_other", &["import", path])).trim(), "nothing to do");

    // One that is refused keeps nothing back but what needs it.
    let refused = "version: 1\napplications:\n- uid: app_of_another_form\n  name: X\n  endpoints:\n  - url: https://a.example/\n\
                   - uid: good\n  name: Good\n  endpoints:\n  - uid: in\n    url: http://10.0.0.1/\n  - uid: out\n    url: https://b.example/\n";
    std::fs::write(&file, refused).unwrap();
    let output = shell.run("org_third", &["import", path]);
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(said.matches("FAILED").count(), 3, "{said}");
    assert!(
        said.contains("`allow_subnets`") && said.contains("what it belongs to was not created"),
        "{said}"
    );
    assert!(said.ends_with("2 created, 0 changed, 0 removed, 3 not done\n"), "{said}");
    assert!(complaint(&output).contains("3 steps failed"));
    shell.api("org_third").get("/app/good/endpoint/out").await.expect(200);

    let unknown = shell.run_at("http://127.0.0.1:9", "org_test", &["import", path], super::PASSPHRASE);
    assert!(complaint(&unknown).contains("http://127.0.0.1:9/ does not answer"));
}

#[tokio::test]
async fn a_file_that_is_broken_is_told_with_its_line_and_nothing_is_asked_of_a_server() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("broken.yaml");
    let path = file.to_str().unwrap();
    let variables = [("POSTRIDER_URL", "http://127.0.0.1:9"), ("POSTRIDER_TOKEN", "x")];
    let import = || crate::program::shell::run(&["import", path], &variables);
    assert!(complaint(&import()).contains("broken.yaml cannot be read"));
    let good =
        "version: 1\napplications:\n- uid: acme\n  name: Acme\n  endpoints:\n  - url: https://a.example/\n";
    for (more, parts) in [
        ("    filterTyps: [a]\n", ["did you mean `filterTypes`?", "line 7"]),
        ("  - uri: https://b.example/\n", ["did you mean `url`?", "line 7"]),
        ("\t- x\n", ["broken.yaml", "line 7"]),
        ("    secret: sealed:AAAA\n", ["endpoint https://a.example/", "the file has no `sealing`"]),
    ] {
        std::fs::write(&file, format!("{good}{more}")).unwrap();
        let complained = complaint(&import());
        assert!(parts.iter().all(|part| complained.contains(part)), "{parts:?}: {complained}");
        assert_eq!(complained.trim().lines().count(), 1, "{complained}");
    }
    assert!(text(&file).contains("sealed:AAAA"));
}
