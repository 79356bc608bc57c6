//! The documentation: its pages are served by the program, and what they show is run, from the first block of a page to its last, as a
//! reader would paste it.

mod page;
mod script;
mod site;

use std::fs;
use std::path::Path;

use page::Page;
use script::Script;

use crate::support::{Database, Setup, TestApp};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn page(path: &str) -> Page {
    Page::read(&fs::read_to_string(Path::new(ROOT).join(path)).unwrap())
}

/// A page that starts its own server.
async fn is_followed(path: &str, wanted: &[&str]) {
    Script::of(path, &page(path)).run().await.says(wanted);
}

/// A page that speaks of a server that runs.
async fn is_followed_beside_a_server(path: &str, wanted: &[&str]) -> TestApp {
    let app = Setup::default().with("ALLOW_SUBNETS", "127.0.0.0/8").start().await;
    let environment = app.environment();
    let mut script = Script::of(path, &page(path)).at(&app.address());
    script.set("POSTRIDER_TOKEN", environment.token());
    script.run().await.says(wanted);
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readmes_walkthrough_delivers() {
    is_followed("README.md", &["signature verified", "delivered", "inv_1-paid"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quick_start_delivers_and_replays() {
    is_followed("docs/quick-start.md", &["signature verified", "exhausted", "finished, 1 of 1", "inv_2"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_korean_quick_start_delivers_and_replays() {
    is_followed("docs/ko/quick-start.md", &["signature verified", "exhausted", "finished, 1 of 1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_deliver_what_either_accepts() {
    let database = Database::empty().await;
    let mut script = Script::of("docs/scaling.md", &page("docs/scaling.md"));
    script.set("DATABASE_URL", database.url());
    script.run().await.says(&["{\"by\": \"one\"}", "{\"by\": \"two\"}"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_language_produces() {
    is_followed_beside_a_server("docs/producing.md", &["inv_4-paid", "inv_5-paid", "inv_6-paid"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_language_receives_and_refuses_what_is_forged() {
    let wanted = ["ok   refuses a forged request", "a forged webhook is refused", "verified: 20 bytes"];
    is_followed_beside_a_server("docs/receiving.md", &wanted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_other_pages_show_works() {
    let mut app = is_followed_beside_a_server("docs/dead-letters.md", &["held", "Nothing was changed"]).await;
    // Nobody listens where its endpoint is, so its delivery waits for a retry.
    app.leave_work();
    is_followed_beside_a_server("docs/alerts.md", &["whsec_", "dead_letter.created"]).await;
    is_followed_beside_a_server("docs/operating.md", &["\"status\":\"ok\"", "retention = "]).await;
}

#[test]
fn what_is_not_run_is_marked() {
    let mut offences = Vec::new();
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        let blocks = Page::read(&text).blocks;
        let unmarked = blocks.iter().filter(|block| block.is_code() && !block.is_run() && !block.is_marked);
        offences.extend(unmarked.map(|block| format!("{}: a block of {}", path.display(), block.language)));
    }
    assert!(offences.is_empty(), "{offences:#?}");
}

/// Every page of the site.
fn documents() -> Vec<std::path::PathBuf> {
    let folders = ["docs", "docs/ko", "docs/reference"].map(|folder| Path::new(ROOT).join(folder));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let pages: Vec<_> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    assert!(pages.len() > 12, "{pages:?}");
    pages
}

#[test]
fn every_page_with_commands_is_followed() {
    let tests = include_str!("mod.rs");
    for path in documents() {
        let has_commands =
            Page::read(&fs::read_to_string(&path).unwrap()).blocks.iter().any(page::Block::is_run);
        let name = path.strip_prefix(ROOT).unwrap().display().to_string();
        assert!(!has_commands || tests.contains(&format!("\"{name}\"")), "{name} is followed by no test");
    }
}
