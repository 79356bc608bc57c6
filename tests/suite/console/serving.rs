//! The pages, as the binary serves them. Which rules hold for each file is tried beside the code (`src/console`).

use std::path::Path;

use reqwest::Method;

use crate::support::api::{Answer, client};
use crate::support::server::{App, Served};
use crate::support::{Api, LocalApp, Setup};

async fn get(app: &App<impl Served>, path: &str) -> Answer {
    Api::send(client().get(format!("http://{}{path}", app.address())).header("accept-encoding", "br")).await
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// Whether the pages were built before the binary was.
fn is_built() -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboard/dist/index.html").exists()
}

#[tokio::test]
async fn the_console_opens_at_the_root_and_at_each_of_its_places() {
    let app = LocalApp::start().await;
    for path in ["/", "/applications/app_x?tab=messages", "/sign-in"] {
        let page = get(&app, path).await;
        assert_eq!((page.status, header(&page, "content-type")), (200, "text/html; charset=utf-8"), "{path}");
        let policy = header(&page, "content-security-policy");
        assert!(
            policy.starts_with("default-src 'self'") && policy.ends_with("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!(header(&page, "x-content-type-options"), "nosniff");
        let wanted = if is_built() { "id=\"root\"" } else { "npm run build" };
        assert!(page.text.contains(wanted), "{}", page.text);
    }
}

#[tokio::test]
async fn the_built_pages_load_what_they_name_below_any_path() {
    if !is_built() {
        let app = LocalApp::start().await;
        assert_eq!(get(&app, "/portal").await.status, 404);
        return;
    }
    let app = Setup::default().with("PUBLIC_URL", "https://example.com/hooks").start_local().await;
    // A proxy takes the path off, or leaves it.
    for prefix in ["", "/hooks"] {
        for page in ["/", "/portal/endpoints/ep_x"] {
            let html = get(&app, &format!("{prefix}{page}")).await.text;
            assert!(html.contains("<base href=\"/hooks/\""), "{html}");
            let named = html.split("=\"./assets/").skip(1).map(|rest| rest.split('"').next().unwrap());
            let named: Vec<&str> = named.collect();
            assert!(!named.is_empty(), "{html}");
            for file in named {
                let asset = get(&app, &format!("{prefix}/assets/{file}")).await;
                assert_eq!(asset.status, 200, "{file}");
                assert!(header(&asset, "cache-control").contains("immutable"), "{file}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_the_consoles_answers_as_before() {
    let app = LocalApp::start().await;
    for path in ["/api", "/api/v1/nothing", "/docs/nothing", "/docs/api/nothing", "/in/abc"] {
        assert_eq!(get(&app, path).await.status, 404, "{path}");
    }
    assert_eq!(get(&app, "/api/v1/nothing").await.json()["code"], "not_found");
    assert_eq!(get(&app, "/docs/api/").await.status, 200);
    assert_eq!(get(&app, "/assets/gone.js").await.status, 404);
    let post = client().request(Method::POST, format!("http://{}/applications", app.address()));
    Api::send(post).await.expect_error(404, "not_found");
}

#[tokio::test]
async fn a_node_may_go_without_the_console() {
    let mut app = Setup::default().with("CONSOLE", "false").start().await;
    assert_eq!(get(&app, "/").await.json()["code"], "not_found");
    app.environment().get("/app").await.expect(200);
    // What a process prints, it has printed once it has ended.
    app.node_mut().terminate().await;
    assert_eq!(app.printed(), "", "nobody is invited to what is not there");
}
